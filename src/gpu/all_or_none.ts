/**
 * Makes tensors, or other things to dispose, one after the other. If one cannot be made, those before it are disposed:
 * memory that does not suffice for all is free again when the caller learns of it.
 *
 * @param makers What makes each.
 * @returns What they made, in order; the caller's.
 * @throws What the maker that failed threw.
 */
export function allOrNone<const T extends readonly (() => Disposable)[]>(
  makers: T,
): { -readonly [K in keyof T]: ReturnType<T[K]> } {
  using made = new DisposableStack();
  const all = makers.map((make) => made.use(make()));
  made.move();
  return all as { -readonly [K in keyof T]: ReturnType<T[K]> };
}
