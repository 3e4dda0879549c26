/**
 * With which options of Node a process of Homeward is started.
 * Rule: whoever starts one asks here, the set-up, the lab and the bench alike, so that what is measured is what is run.
 */

const always = ['--disable-warning=ExperimentalWarning'];

/**
 * A mover moves its bytes through memory of its own; Node's default room for young objects (up to 48 MiB) would only
 * count against the 256 MiB it may have. Measured: 70 MiB less at the peak, the same CPU.
 */
const small = ['--max-semi-space-size=2'];

/** @param {string} entry path of the file to run. */
export const nodeFlags = (entry) => (/[/\\]mover(-process)?\.ts$/.test(entry) ? [...always, ...small] : always);
