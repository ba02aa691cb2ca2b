/**
 * Where a Chromium is.
 *
 * @module
 */

/** Names that a Chromium goes by, the first of them Debian's; `scripts/up.sh` installs nothing where it finds one. */
export const CHROMIUM_NAMES: readonly string[] = ["chromium", "chromium-browser", "google-chrome"];

/**
 * Finds a Chromium by any of its names.
 *
 * @param folders Where to look, in order.
 * @returns Its path, or undefined where there is none.
 */
export function findChromium(folders: readonly string[]): string | undefined {
  return folders.flatMap((folder) => CHROMIUM_NAMES.map((name) => `${folder}/${name}`)).find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  });
}
