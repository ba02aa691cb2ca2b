/**
 * The part of ZMTP 3.0 that a Jupyter client needs: SUB and DEALER sockets over TCP, without authentication.
 *
 * Source: https://rfc.zeromq.org/spec/23/ (ZMTP 3.0).
 *
 * @module
 */

/** Kinds of socket that a client opens. */
export type SocketType = "SUB" | "DEALER";

/** Bits of a frame's first byte. */
const MORE = 1;
const LONG = 2;
const COMMAND = 4;

const GREETING_LENGTH = 64;

/** Reads exact numbers of bytes from a connection. */
class ByteReader {
  readonly #source: ReadableStreamDefaultReader<Uint8Array>;
  #buffered: Uint8Array = new Uint8Array(0);

  constructor(stream: ReadableStream<Uint8Array>) {
    this.#source = stream.getReader();
  }

  /** Takes `length` bytes, or undefined where the other side closed before the first of them. */
  async take(length: number): Promise<Uint8Array | undefined> {
    while (this.#buffered.length < length) {
      const { value, done } = await this.#source.read();
      if (done) {
        if (this.#buffered.length === 0) return undefined;
        throw new Error(`Cannot read a frame: the connection closed after ${this.#buffered.length} of ${length} bytes`);
      }
      this.#buffered = concat([this.#buffered, value]);
    }
    const taken = this.#buffered.subarray(0, length);
    this.#buffered = this.#buffered.subarray(length);
    return taken;
  }
}

/** One connected socket; messages are lists of frames. */
export class ZmtpSocket implements Disposable {
  readonly #connection: Deno.TcpConn;
  readonly #reader: ByteReader;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
    this.#reader = new ByteReader(connection.readable);
    this.#writer = connection.writable.getWriter();
  }

  /**
   * Connects and shakes hands; a SUB socket subscribes to everything.
   *
   * @param port Port on this machine.
   * @param type Kind of socket.
   * @returns The socket, owned by the caller.
   * @throws {Error} If the other side speaks no ZMTP 3 or closes early.
   */
  static async connect(port: number, type: SocketType): Promise<ZmtpSocket> {
    const socket = new ZmtpSocket(await Deno.connect({ hostname: "127.0.0.1", port }));
    try {
      await socket.#shakeHands(type);
      if (type === "SUB") await socket.send([Uint8Array.of(1)]);
      return socket;
    } catch (error) {
      socket[Symbol.dispose]();
      throw error;
    }
  }

  /**
   * Sends a message.
   *
   * @param frames Its frames, at least one.
   */
  async send(frames: Uint8Array[]): Promise<void> {
    await this.#writer.write(concat(frames.map((body, index) => frame(body, index < frames.length - 1 ? MORE : 0))));
  }

  /**
   * Waits for a message.
   *
   * @returns Its frames, or undefined when the other side has closed.
   */
  async receive(): Promise<Uint8Array[] | undefined> {
    const frames: Uint8Array[] = [];
    while (true) {
      const next = await this.#receiveFrame();
      if (next === undefined) return undefined;
      if (next.flags & COMMAND) continue;
      frames.push(next.body);
      if (!(next.flags & MORE)) return frames;
    }
  }

  /** Closes the connection; a waiting {@linkcode ZmtpSocket.receive} fails. */
  [Symbol.dispose](): void {
    try {
      this.#connection.close();
    } catch (error) {
      // The other side may have closed first.
      if (!(error instanceof Deno.errors.BadResource)) throw error;
    }
  }

  async #receiveFrame(): Promise<{ flags: number; body: Uint8Array } | undefined> {
    const first = await this.#reader.take(1);
    if (first === undefined) return undefined;
    const [flags] = first;
    const size = await this.#reader.take(flags & LONG ? 8 : 1);
    if (size === undefined) return undefined;
    const view = new DataView(size.buffer, size.byteOffset, size.length);
    const length = flags & LONG ? Number(view.getBigUint64(0)) : view.getUint8(0);
    const body = length === 0 ? new Uint8Array(0) : await this.#reader.take(length);
    return body && { flags, body };
  }

  async #shakeHands(type: SocketType): Promise<void> {
    const greeting = new Uint8Array(GREETING_LENGTH);
    greeting.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, 3, 0]);
    greeting.set(new TextEncoder().encode("NULL"), 12);
    await this.#writer.write(greeting);
    const answer = await this.#reader.take(GREETING_LENGTH);
    if (answer === undefined || answer[0] !== 0xff || answer[9] !== 0x7f || answer[10] < 3) {
      const found = answer === undefined ? "nothing" : `bytes ${answer.slice(0, 12).toHex()}`;
      throw new Error(`Cannot greet the kernel: found ${found}, wanted a greeting of ZMTP 3`);
    }
    await this.#writer.write(frame(readyCommand(type), COMMAND));
    const ready = await this.#receiveFrame();
    if (ready === undefined || !(ready.flags & COMMAND)) {
      throw new Error("Cannot open a socket of the kernel: it answered without a READY command");
    }
  }
}

function readyCommand(type: SocketType): Uint8Array {
  const text = new TextEncoder();
  const [name, property, value] = [text.encode("READY"), text.encode("Socket-Type"), text.encode(type)];
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, value.length);
  return concat([Uint8Array.of(name.length), name, Uint8Array.of(property.length), property, length, value]);
}

/**
 * Frames a body.
 *
 * @param body Bytes of the frame.
 * @param flags More frames follow, or this is a command.
 * @returns Flags, length in one or eight bytes, body.
 */
export function frame(body: Uint8Array, flags: number): Uint8Array<ArrayBuffer> {
  if (body.length < 256) return concat([Uint8Array.of(flags, body.length), body]);
  const head = new Uint8Array(9);
  head[0] = flags | LONG;
  new DataView(head.buffer).setBigUint64(1, BigInt(body.length));
  return concat([head, body]);
}

/**
 * Puts bytes one after the other.
 *
 * @param parts Pieces.
 * @returns All of them in one array.
 */
export function concat(parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
