import { assertEquals, assertRejects } from "@std/assert";
import { MessageCodec } from "../../../src/evaluation/notebook/jupyter_message.ts";
import { concat, frame, ZmtpSocket } from "../../../src/evaluation/notebook/zmtp.ts";

/** Serves one connection with fixed bytes, and hands back what came in when it is closed. */
async function withServer(answer: Uint8Array, use: (port: number) => Promise<void>): Promise<Uint8Array> {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: Uint8Array[] = [];
  const serving = (async () => {
    const connection = await listener.accept();
    await connection.write(answer);
    await connection.closeWrite();
    for await (const chunk of connection.readable) received.push(chunk);
  })();
  await use(listener.addr.port);
  await serving;
  return concat(received);
}

function greeting(version: number): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes.set([0xff, 0, 0, 0, 0, 0, 0, 0, 1, 0x7f, version, 0, 0x4e, 0x55, 0x4c, 0x4c]);
  return bytes;
}

/** READY with Socket-Type ROUTER, byte by byte from the specification. */
const READY = Uint8Array.fromHex(
  "041c" + "055245414459" + "0b536f636b65742d54797065" + "00000006" + "524f55544552",
);

Deno.test("frame() writes short lengths in one byte and long ones in eight", () => {
  assertEquals(frame(Uint8Array.of(7, 8), 1), Uint8Array.of(1, 2, 7, 8));
  const long = frame(new Uint8Array(256), 0);
  assertEquals([...long.subarray(0, 9)], [2, 0, 0, 0, 0, 0, 0, 1, 0]);
  assertEquals(long.length, 265);
});

Deno.test("ZmtpSocket greets, subscribes and joins frames to messages", async () => {
  const message = [new TextEncoder().encode("a"), new Uint8Array(300).fill(5)];
  const bytes = concat([greeting(3), READY, frame(message[0], 1), frame(message[1], 0)]);
  const sent = await withServer(bytes, async (port) => {
    using socket = await ZmtpSocket.connect(port, "SUB");
    assertEquals(await socket.receive(), message);
    assertEquals(await socket.receive(), undefined);
  });
  assertEquals(sent.subarray(0, 64), greeting(3));
  const ready = "0419" + "055245414459" + "0b536f636b65742d54797065" + "00000003" + "535542";
  assertEquals(sent.subarray(64).toHex(), ready + "000101");
});

Deno.test("ZmtpSocket refuses what speaks no ZMTP 3", async () => {
  for (const [answer, text] of [[greeting(1), "found bytes ff0000"], [new Uint8Array(0), "found nothing"]] as const) {
    await withServer(answer, async (port) => {
      await assertRejects(() => ZmtpSocket.connect(port, "DEALER"), Error, text);
    });
  }
});

Deno.test("ZmtpSocket says so when a message is cut off", async () => {
  const bytes = concat([greeting(3), READY, Uint8Array.of(0, 9, 1, 2)]);
  await withServer(bytes, async (port) => {
    using socket = await ZmtpSocket.connect(port, "DEALER");
    await assertRejects(() => socket.receive(), Error, "the connection closed after 2 of 9 bytes");
  });
});

Deno.test("MessageCodec reads what it wrote, and refuses another key's messages", async () => {
  const codec = await MessageCodec.create("secret");
  const { frames } = await codec.encode("execute_request", { code: "1" });
  const identity = new TextEncoder().encode("identity");
  assertEquals(await codec.decode([identity, ...frames]), {
    type: "execute_request",
    parent: undefined,
    content: { code: "1" },
  });
  const other = await MessageCodec.create("other");
  await assertRejects(() => other.decode(frames), Error, "its signature is not that of the connection's key");
  await assertRejects(() => codec.decode(frames.slice(1)), Error, "Cannot read a message of the kernel");
});

Deno.test("MessageCodec signs with HMAC-SHA256 over the four parts", async () => {
  const { createHmac } = await import("node:crypto");
  const { frames } = await (await MessageCodec.create("secret")).encode("x", {});
  const hmac = createHmac("sha256", "secret");
  for (const part of frames.slice(2)) hmac.update(part);
  assertEquals(new TextDecoder().decode(frames[1]), hmac.digest("hex"));
});
