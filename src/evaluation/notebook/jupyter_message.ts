/**
 * Messages of the Jupyter protocol, signed with HMAC-SHA256.
 *
 * Source: https://jupyter-client.readthedocs.io/en/stable/messaging.html (version 5.3).
 *
 * @module
 */
import { concat } from "./zmtp.ts";

/** A JSON object of unknown form. */
export type JsonObject = Record<string, unknown>;

/** A message that came from a kernel. */
export interface JupyterMessage {
  /** Kind, for instance `stream`. */
  type: string;
  /** Id of the request that the kernel was working on, where it says so. */
  parent: string | undefined;
  /** What the message says. */
  content: JsonObject;
}

const DELIMITER = "<IDS|MSG>";

/** Writes and reads the messages of one session with one key. */
export class MessageCodec {
  readonly #key: CryptoKey;
  readonly #session = crypto.randomUUID();

  private constructor(key: CryptoKey) {
    this.#key = key;
  }

  /**
   * Prepares a key.
   *
   * @param key Key of the connection file.
   * @returns A codec.
   */
  static async create(key: string): Promise<MessageCodec> {
    const algorithm = { name: "HMAC", hash: "SHA-256" };
    return new MessageCodec(
      await crypto.subtle.importKey("raw", new TextEncoder().encode(key), algorithm, false, ["sign", "verify"]),
    );
  }

  /**
   * Writes a request.
   *
   * @param type Kind of the request.
   * @param content What it asks.
   * @returns Its id and its frames.
   */
  async encode(type: string, content: JsonObject): Promise<{ id: string; frames: Uint8Array[] }> {
    const id = crypto.randomUUID();
    const header = {
      msg_id: id,
      session: this.#session,
      username: "notebooks",
      date: new Date().toISOString(),
      msg_type: type,
      version: "5.3",
    };
    const text = new TextEncoder();
    const parts = [header, {}, {}, content].map((part) => text.encode(JSON.stringify(part)));
    const signature = new Uint8Array(await crypto.subtle.sign("HMAC", this.#key, concat(parts))).toHex();
    return { id, frames: [text.encode(DELIMITER), text.encode(signature), ...parts] };
  }

  /**
   * Reads a message.
   *
   * @param frames Its frames, with whatever stands before the delimiter.
   * @returns The message.
   * @throws {Error} If the delimiter is missing or the signature is not that of the key.
   */
  async decode(frames: Uint8Array[]): Promise<JupyterMessage> {
    const text = new TextDecoder();
    const start = frames.findIndex((part) => part.length === DELIMITER.length && text.decode(part) === DELIMITER);
    const [signature, ...parts] = start < 0 ? [] : frames.slice(start + 1, start + 6);
    if (parts.length < 4) {
      throw new Error(
        `Cannot read a message of the kernel: found ${frames.length} frames without ${DELIMITER} and 5 more`,
      );
    }
    const valid = await crypto.subtle.verify("HMAC", this.#key, fromHex(text.decode(signature)), concat(parts));
    if (!valid) {
      throw new Error("Cannot trust a message of the kernel: its signature is not that of the connection's key");
    }
    const [header, parent, , content] = parts.map((part) => JSON.parse(text.decode(part)) as JsonObject);
    return {
      type: String(header.msg_type),
      parent: typeof parent.msg_id === "string" ? parent.msg_id : undefined,
      content,
    };
  }
}

function fromHex(text: string): Uint8Array<ArrayBuffer> {
  return /^([0-9a-f]{2})*$/i.test(text) ? Uint8Array.fromHex(text) : new Uint8Array(0);
}
