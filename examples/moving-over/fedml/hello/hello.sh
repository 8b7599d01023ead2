echo "hello from $1, in $(pwd)"
