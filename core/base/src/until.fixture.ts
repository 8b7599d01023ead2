const LOOK_EVERY_MS = 5;
/** Of a machine that is busy with other tests; what passes does not wait for it. */
const WITHIN_MS = 90_000;

/**
 * Waits until `holds`, for tests of real processes, sockets and databases: nothing else in a test waits for time to pass. After `within`
 * milliseconds it throws an Error that names `what` was waited for, by default the condition as it is written.
 */
export async function until(
  holds: () => boolean | Promise<boolean>,
  what = String(holds),
  within = WITHIN_MS,
): Promise<void> {
  const deadline = performance.now() + within;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}
