/**
 * Waits for parts that were begun together, so that their read-backs wait at the same time: several cost as much as one.
 * It ends when all have ended, so that none is still at work on a device that is given back after an error.
 *
 * @returns What the parts return, in order.
 * @throws What the first failed one in this order throws.
 */
export async function sideBySide<const T extends readonly Promise<unknown>[]>(
  parts: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  const ended = await Promise.allSettled(parts);
  for (const part of ended) if (part.status === "rejected") throw part.reason;
  return await Promise.all(parts);
}
