// Reads a log's files as `ringfence audit export --tiles` wrote them, with Go's own client of transparency logs, and says what it accepted.
// Usage: go-tlog DIR VERIFIER-KEY
package main

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(what string, err error) {
	fmt.Fprintln(os.Stderr, what, err)
	os.Exit(1)
}

// C2SP tlog-tiles leaves the height of tiles out of their paths; it is always 8.
type files struct{ dir string }

func (files) Height() int                          { return 8 }
func (files) SaveTiles([]tlog.Tile, [][]byte)      {}
func (f files) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range tiles {
		bytes, err := os.ReadFile(filepath.Join(f.dir, strings.Replace(tile.Path(), "tile/8/", "tile/", 1)))
		if err != nil {
			return nil, err
		}
		found = append(found, bytes)
	}
	return found, nil
}

func bundle(dir string, index, size int64) [][]byte {
	tile := tlog.Tile{H: 8, L: 0, N: index, W: 256}
	if size-index*256 < 256 {
		tile.W = int(size - index*256)
	}
	bytes, err := os.ReadFile(filepath.Join(dir, strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)))
	if err != nil {
		fail("bundle", err)
	}
	var entries [][]byte
	for len(bytes) > 0 {
		length := int(bytes[0])<<8 | int(bytes[1])
		entries = append(entries, bytes[2:2+length])
		bytes = bytes[2+length:]
	}
	return entries
}

func main() {
	dir, key := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(key)
	if err != nil {
		fail("key", err)
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		fail("checkpoint", err)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		fail("note", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if lines[0] != verifier.Name() {
		fail("origin", fmt.Errorf("%q", lines[0]))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("size", err)
	}
	root, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil {
		fail("root", err)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	reader := tlog.TileHashReader(tree, files{dir})
	for index := int64(0); index < size; index++ {
		entries := bundle(dir, index/256, size)
		proof, err := tlog.ProveRecord(size, index, reader)
		if err != nil {
			fail("prove record", err)
		}
		if err := tlog.CheckRecord(proof, size, tree.Hash, index, tlog.RecordHash(entries[index%256])); err != nil {
			fail("check record", err)
		}
	}
	for old := int64(1); old <= size; old++ {
		before, err := tlog.TreeHash(old, reader)
		if err != nil {
			fail("tree hash", err)
		}
		proof, err := tlog.ProveTree(size, old, reader)
		if err != nil {
			fail("prove tree", err)
		}
		if err := tlog.CheckTree(proof, size, tree.Hash, old, before); err != nil {
			fail("check tree", err)
		}
	}
	fmt.Printf("accepted %d entries of %s\n", size, verifier.Name())
}
