/**
 * Times as people read them.
 *
 * @module
 */

/**
 * Writes a duration with the two digits that matter.
 *
 * @param ms Duration in milliseconds.
 * @returns For instance `0.4 s`, `41 s`, `3 min 05 s` or `2 h 10 min`.
 */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${pad(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${Math.floor(minutes / 60)} h ${pad(minutes % 60)} min`;
}

function pad(value: number): string {
  return String(value).padStart(2, "0");
}
