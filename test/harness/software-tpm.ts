import { spawn } from 'node:child_process';
import { hash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Der } from '#x509';
import type { Client } from '../clients.ts';
import type { Cleanup } from './authority.ts';
import { ClientFolder } from './client-files.ts';
import { freePort } from './free-port.ts';

/** What a software TPM takes: for `requireClient`. */
export const tpmClients = ['swtpm', 'swtpm_setup', 'tpm2'] as const satisfies readonly Client[];

/** A key in a TPM. */
export interface TpmKey {
  /** Persistent, hexadecimal with 0x. */
  readonly handle: string;
  /** TPMT_PUBLIC. */
  readonly publicArea: Uint8Array;
  /** As the TPM gives it, 2 octets of the hash's identifier first. */
  readonly name: Uint8Array;
  readonly spki: Der;
}

/** TPMS_CREATION_DATA, TPMS_ATTEST and TPMT_SIGNATURE. */
export interface CreationProof {
  readonly data: Uint8Array;
  readonly attest: Uint8Array;
  readonly signature: Uint8Array;
}

export type KeyKind = 'rsa' | 'ecc';

/** RSA-2048 and P-384, where swtpm_setup puts them. */
const endorsementHandles: Readonly<Record<KeyKind, string>> = { rsa: '0x81010001', ecc: '0x81010016' };
const endorsementFiles: Readonly<Record<KeyKind, string>> = {
  rsa: 'ek-rsa2048.crt',
  ecc: 'ek-secp384r1.crt',
};
const firstHandle = 0x8101_0100;

/** fixedTPM and the rest that a key has that may be attested. */
export const attestable = 'fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign';

/** swtpm with tpm2-tools. One command after the other: it has room for three objects. */
export class SoftwareTpm {
  readonly #folder: ClientFolder;
  readonly #port: number;
  #handles = 0;

  private constructor(folder: ClientFolder, port: number) {
    this.#folder = folder;
    this.#port = port;
  }

  static async start(folder: ClientFolder, cleanup: Cleanup): Promise<SoftwareTpm> {
    for (let tries = 0; tries < 5; tries += 1) {
      // The tools ask for the control channel at the next port.
      const port = await freePort();
      const tpm = new SoftwareTpm(folder, port);
      if ((await run(folder, port, cleanup)) && (await tpm.#answers())) return tpm;
    }
    throw new Error(`swtpm does not start: ${await folder.read('swtpm.log')}`);
  }

  /** Another TPM with what this one keeps: its seeds, its keys, its counters. */
  async copy(cleanup: Cleanup): Promise<SoftwareTpm> {
    const folder = await ClientFolder.make(cleanup);
    const filter = (file: string) => !file.endsWith('.lock');
    await cp(this.#folder.path('state'), folder.path('state'), { recursive: true, filter });
    const copied = await SoftwareTpm.start(folder, cleanup);
    copied.#handles = this.#handles;
    return copied;
  }

  /** Where tpm2-tools find it. */
  get environment(): { readonly TPM2TOOLS_TCTI: string } {
    return { TPM2TOOLS_TCTI: `swtpm:host=127.0.0.1,port=${this.#port}` };
  }

  /** As the inventory has it: SHA-256 of the SubjectPublicKeyInfo. */
  async endorsementDigest(kind: KeyKind): Promise<string> {
    return hash('sha256', (await this.endorsementKey(kind)).spki);
  }

  /** A UNIX socket by which one program after the other has the TPM; its path. */
  async listen(socket: string, cleanup: Cleanup): Promise<string> {
    const server = createServer((one) => {
      const other = connect(this.#port, '127.0.0.1');
      one.on('error', () => other.destroy());
      other.on('error', () => one.destroy());
      one.pipe(other).pipe(one);
    });
    server.listen(socket);
    await once(server, 'listening');
    cleanup.after(() => {
      server.close();
    });
    return socket;
  }

  /** Of the key that was made last: a file of tpm2-tools. */
  get context(): string {
    return this.#folder.path('key.ctx');
  }

  /** The handles of what it keeps, but for the endorsement keys. */
  async persistent(): Promise<readonly string[]> {
    const { stdout } = await this.#run(undefined, 'getcap', 'handles-persistent');
    const handles = [...stdout.toString().matchAll(/0x[0-9a-f]+/gi)].map(([handle]) => handle.toLowerCase());
    return handles.filter((handle) => !Object.values(endorsementHandles).includes(handle));
  }

  async endorsementCertificate(kind: KeyKind): Promise<Der> {
    return new Uint8Array(await readFile(this.#folder.path(endorsementFiles[kind])));
  }

  async endorsementKey(kind: KeyKind): Promise<TpmKey> {
    return this.read(endorsementHandles[kind]);
  }

  /** A restricted key under the endorsement key, for SHA-256. */
  async createAttestationKey(kind: KeyKind): Promise<TpmKey> {
    await this.#tool('createek', '-c', 'ek.ctx', '-G', 'rsa', '-u', 'ek.pub');
    await this.#flush();
    const scheme = kind === 'rsa' ? 'rsassa' : 'ecdsa';
    await this.#tool('createak', '-C', 'ek.ctx', '-c', 'key.ctx', '-G', kind, '-g', 'sha256', '-s', scheme);
    return this.#keep();
  }

  /** A restricted key of its owner, with the proof of its creation that it signs itself: as step's client makes it. */
  async createCertifiedKey(kind: KeyKind): Promise<TpmKey & { readonly creation: CreationProof }> {
    await this.#tool('createprimary', '-C', 'o', '-G', 'ecc', '-g', 'sha256', '-c', 'parent.ctx');
    await this.#flush();
    const algorithm = kind === 'rsa' ? 'rsa2048:rsassa-sha256:null' : 'ecc256:ecdsa-sha256:null';
    await this.#tool(
      'create',
      '-C',
      'parent.ctx',
      '-G',
      algorithm,
      '-a',
      `${attestable}|restricted`,
      '-u',
      'key.pub',
      '-r',
      'key.priv',
      '--creation-data',
      'creation',
      '--creation-hash',
      'creation.hash',
      '-t',
      'creation.ticket',
    );
    await this.#flush();
    await this.#tool('load', '-C', 'parent.ctx', '-u', 'key.pub', '-r', 'key.priv', '-c', 'key.ctx');
    await this.#flush();
    await this.#tool(
      'certifycreation',
      '-C',
      'key.ctx',
      '-c',
      'key.ctx',
      '-d',
      'creation.hash',
      '-t',
      'creation.ticket',
      '-g',
      'sha256',
      '-o',
      'creation.signature',
      '--attestation',
      'creation.attest',
    );
    const [data, attest, signature] = await Promise.all(
      ['creation', 'creation.attest', 'creation.signature'].map(
        async (file) => new Uint8Array(await readFile(this.#folder.path(file))),
      ),
    );
    // TPM2B_CREATION_DATA.
    const creation = { data: data!.subarray(2), attest: attest!, signature: signature! };
    return { ...(await this.#keep()), creation };
  }

  /** A key for whoever uses the device. `algorithm` and `attributes` as tpm2_create has them. */
  async createKey({ algorithm = 'ecc256:ecdsa-sha256', attributes = attestable } = {}): Promise<TpmKey> {
    await this.#tool('createprimary', '-C', 'o', '-G', 'ecc', '-g', 'sha256', '-c', 'parent.ctx');
    await this.#flush();
    await this.#tool(
      'create',
      '-C',
      'parent.ctx',
      '-G',
      algorithm,
      '-a',
      attributes,
      '-u',
      'key.pub',
      '-r',
      'key.priv',
    );
    await this.#flush();
    await this.#tool('load', '-C', 'parent.ctx', '-u', 'key.pub', '-r', 'key.priv', '-c', 'key.ctx');
    return this.#keep();
  }

  /** TPM2_Certify, whose qualifying data tpm2_certify writes itself: so the command is sent as it is. */
  async certify(
    key: TpmKey,
    by: TpmKey,
    qualifyingData: Uint8Array,
  ): Promise<{ readonly attest: Uint8Array; readonly signature: Uint8Array }> {
    const emptyPassword = '400000090000000000';
    const body = Buffer.concat([
      hex(key.handle),
      hex(by.handle),
      Buffer.from(`00000012${emptyPassword}${emptyPassword}`, 'hex'),
      u16(qualifyingData.length),
      qualifyingData,
      // inScheme: the key's own.
      u16(0x0010),
    ]);
    const answer = await this.#send(0x148, body);
    const parameters = answer.subarray(4, 4 + answer.readUInt32BE(0));
    const length = parameters.readUInt16BE(0);
    return {
      attest: new Uint8Array(parameters.subarray(2, 2 + length)),
      signature: new Uint8Array(parameters.subarray(2 + length)),
    };
  }

  /** A signature with SHA-256 as certificates have it. */
  async sign({ handle }: TpmKey, data: Uint8Array): Promise<Uint8Array> {
    await writeFile(this.#folder.path('data'), data);
    await this.#tool('sign', '-c', handle, '-g', 'sha256', '-f', 'plain', '-o', 'signature', 'data');
    await this.#flush();
    return new Uint8Array(await readFile(this.#folder.path('signature')));
  }

  /** TPM2_ActivateCredential. Throws where the TPM does not find the credential to be for these two keys. */
  async activate(
    kind: KeyKind,
    attestationKey: TpmKey,
    credential: { readonly credentialBlob: Uint8Array; readonly secret: Uint8Array },
  ): Promise<Uint8Array> {
    // The header of the tools' own format.
    const header = Buffer.from('badcc0de00000001', 'hex');
    const blob = Buffer.concat([header, credential.credentialBlob, credential.secret]);
    await writeFile(this.#folder.path('credential'), blob);
    const words = [
      '-c',
      attestationKey.handle,
      '-C',
      endorsementHandles[kind],
      '-i',
      'credential',
      '-o',
      'value',
    ];
    if (kind === 'ecc') {
      // Its template takes the empty password (EK Credential Profile annex B).
      await this.#tool('activatecredential', ...words);
    } else {
      await this.#tool('startauthsession', '--policy-session', '-g', 'sha256', '-S', 'session.ctx');
      await this.#tool('policysecret', '-S', 'session.ctx', '-c', 'e');
      try {
        await this.#tool('activatecredential', ...words, '-P', 'session:session.ctx');
      } finally {
        await this.#tool('flushcontext', 'session.ctx');
      }
    }
    await this.#flush();
    return new Uint8Array(await readFile(this.#folder.path('value')));
  }

  /** Makes what was made last persistent. */
  async #keep(): Promise<TpmKey> {
    const handle = `0x${(firstHandle + this.#handles).toString(16)}`;
    this.#handles += 1;
    await this.#flush();
    await this.#tool('evictcontrol', '-C', 'o', '-c', 'key.ctx', handle);
    await this.#flush();
    return this.read(handle);
  }

  async read(handle: string): Promise<TpmKey> {
    await this.#tool('readpublic', '-c', handle, '-o', 'public', '-n', 'name');
    await this.#tool('readpublic', '-c', handle, '-f', 'der', '-o', 'spki');
    const [area, name, spki] = await Promise.all(
      ['public', 'name', 'spki'].map(async (file) => new Uint8Array(await readFile(this.#folder.path(file)))),
    );
    // TPM2B_PUBLIC.
    return { handle, publicArea: area!.subarray(2), name: name!, spki: spki! };
  }

  /** The answer after its code. */
  async #send(command: number, body: Buffer): Promise<Buffer> {
    const header = Buffer.alloc(10);
    header.writeUInt16BE(0x8002);
    header.writeUInt32BE(header.length + body.length, 2);
    header.writeUInt32BE(command, 6);
    const { stdout } = await this.#run(Buffer.concat([header, body]), 'send');
    const code = stdout.readUInt32BE(6);
    if (code !== 0) throw new Error(`TPM command 0x${command.toString(16)}: 0x${code.toString(16)}`);
    return stdout.subarray(10);
  }

  /** A port that was taken in the meantime ends swtpm after it has begun. */
  async #answers(): Promise<boolean> {
    return this.#tool('getrandom', '8').then(
      () => true,
      () => false,
    );
  }

  /** Contexts that the tools leave in the TPM. */
  async #flush(): Promise<void> {
    await this.#tool('flushcontext', '-t');
  }

  async #tool(...words: readonly string[]): Promise<void> {
    await this.#run(undefined, ...words);
  }

  async #run(input: Buffer | undefined, ...words: readonly string[]): Promise<{ stdout: Buffer }> {
    const { environment } = this;
    const options = input === undefined ? { environment } : { environment, input };
    const { code, stdout, stderr } = await this.#folder.runWith(options, 'tpm2', ...words);
    if (code !== 0) throw new Error(`tpm2 ${words.join(' ')}: ${code}\n${stderr}`);
    return { stdout };
  }
}

/** Whether swtpm runs with these ports: one may have been taken. */
async function run(folder: ClientFolder, port: number, cleanup: Cleanup): Promise<boolean> {
  const child = spawn(
    'swtpm',
    [
      'socket',
      '--tpm2',
      '--tpmstate',
      `dir=${folder.path('state')}`,
      '--server',
      `type=tcp,port=${port},bindaddr=127.0.0.1`,
      '--ctrl',
      `type=tcp,port=${port + 1},bindaddr=127.0.0.1`,
      '--flags',
      'not-need-init,startup-clear',
      '--pid',
      `file=${folder.path(`pid-${port}`)}`,
      '--log',
      `file=${folder.path('swtpm.log')},level=1`,
    ],
    { stdio: 'ignore' },
  );
  const ended = new Promise<void>((resolve) => void child.once('close', () => resolve()));
  cleanup.after(async () => {
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    await ended;
  });
  for (let tries = 0; tries < 200 && child.exitCode === null; tries += 1) {
    if (existsSync(folder.path(`pid-${port}`))) return true;
    await sleep(25);
  }
  return false;
}

function hex(handle: string): Buffer {
  return Buffer.from(handle.slice(2), 'hex');
}

function u16(value: number): Buffer {
  const octets = Buffer.alloc(2);
  octets.writeUInt16BE(value);
  return octets;
}
