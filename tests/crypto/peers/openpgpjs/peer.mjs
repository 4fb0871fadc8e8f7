// OpenPGP.js behind one line of JSON in, one line of JSON out: {"id", "do", ...} -> {"ok"} or {"error"}.
// Binary values are base64. Messages are those that its defaults make for certificates of version 4.
import * as openpgp from 'openpgp';
import { createInterface } from 'node:readline';

const bytes = (text) => new Uint8Array(Buffer.from(text, 'base64'));
const base64 = (data) => Buffer.from(data).toString('base64');
const secret = (text) => openpgp.readPrivateKey({ binaryKey: bytes(text) });
const certificate = (text) => openpgp.readKey({ binaryKey: bytes(text) });

const KINDS = {
  rsa3072: { type: 'rsa', rsaBits: 3072 },
  rsa4096: { type: 'rsa', rsaBits: 4096 },
  ed25519: { type: 'ecc', curve: 'curve25519Legacy' },
  nistp256: { type: 'ecc', curve: 'nistP256' },
};

const actions = {
  async key({ algorithm, name }) {
    const userIDs = [{ name, email: 'peer@example.org' }];
    const made = await openpgp.generateKey({ ...KINDS[algorithm], userIDs, format: 'object' });
    return base64(made.privateKey.write());
  },
  async encrypt({ plaintext, signer, recipients, compressed, armored }) {
    const { zlib, uncompressed } = openpgp.enums.compression;
    return base64(Buffer.from(await openpgp.encrypt({
      message: await openpgp.createMessage({ binary: bytes(plaintext) }),
      encryptionKeys: await Promise.all(recipients.map(certificate)),
      signingKeys: await secret(signer),
      format: armored ? 'armored' : 'binary',
      config: { preferredCompressionAlgorithm: compressed ? zlib : uncompressed },
    })));
  },
  async decrypt({ message, key, signer }) {
    const { data, signatures } = await openpgp.decrypt({
      message: await openpgp.readMessage({ binaryMessage: bytes(message) }),
      decryptionKeys: await secret(key),
      verificationKeys: signer ? [await certificate(signer)] : [],
      expectSigned: Boolean(signer),
      format: 'binary',
    });
    await Promise.all(signer ? signatures.map((signature) => signature.verified) : []);
    return base64(data);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    console.log(JSON.stringify({ ok: await actions[request.do](request) }));
  } catch (error) {
    console.log(JSON.stringify({ error: String(error) }));
  }
}
