/**
 * The part of the document object model that drawing without a browser uses; Deno has no types of it.
 *
 * @module
 */

/** What drawing uses of an element of the window. */
export interface StageElement {
  /** Name of the element. */
  tagName: string;
  /** Text inside. */
  textContent: string | null;
  /** Elements directly inside. */
  children: Iterable<StageElement> & { length: number };
  /** The element around this one. */
  parentElement: StageElement | null;
  /** What d3 bound to the element. */
  __data__?: unknown;
  /** Reads an attribute. */
  getAttribute(name: string): string | null;
  /** Writes an attribute. */
  setAttribute(name: string, value: string): void;
  /** Removes an attribute. */
  removeAttribute(name: string): void;
  /** Finds the elements of a CSS selector. */
  querySelectorAll(selector: string): Iterable<StageElement>;
  /** Appends elements or text. */
  append(...nodes: (StageElement | string)[]): void;
  /** Puts elements before the others inside. */
  prepend(...nodes: StageElement[]): void;
  /** Puts other elements in this one's place. */
  replaceWith(...nodes: StageElement[]): void;
  /** Takes the element out of its document. */
  remove(): void;
}

/** What drawing uses of a document of the window. */
export interface StageDocument {
  /** Outermost element. */
  documentElement: StageElement;
  /** Body of a page. */
  body: StageElement;
  /** Makes an element of a page. */
  createElement(name: string): StageElement;
  /** Makes an element of a namespace. */
  createElementNS(namespace: string, name: string): StageElement;
}
