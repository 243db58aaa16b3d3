import { Command, InvalidArgumentError, Option } from 'commander';
import { isHandle } from '../attest/handle.ts';
import type { AttestOptions } from '../attest/options.ts';
import { checkDuration } from '../duration-option.ts';
import type { Run } from '../run.ts';
import { teach } from '../teach.ts';

export function attestCommand(run: Run): Command {
  return teach(new Command('attest'), {
    summary: 'Enroll this Linux machine, with a key in its TPM and evidence of it',
    when:
      'On a device whose class must attest. It makes a key in the TPM 2.0, has an attestation key certify that it cannot leave, and asks for a certificate over EST or SCEP. ' +
      'It needs tpm2-tools 5, and neither a configuration nor an authority on this machine. The TPM is found by TPM2TOOLS_TCTI.\n' +
      'The evidence is signed by an attestation key. With --attestation-ca one is made, kept in the folder of --out, and certified by the authority, which knows the TPM by its endorsement key; ' +
      'or --attestation-key names one that another attestation CA has certified, restricted and without a password.\n' +
      'The secret comes from a file or, by -, from standard input. EST gives out the nonce of the evidence; for SCEP it comes with the secret (secret create --nonce). ' +
      'The folder of --out then holds certificate.pem and key.pem, a TSS2 PRIVATE KEY that this TPM alone can use. A request that waits, or that --dry-run wrote, is kept there and sent by the same command again.\n' +
      '--renew takes the folder of the current identity, and --est alone. For a key in the TPM it needs openssl 3 with the provider tpm2-openssl and a resource manager, ' +
      'as /dev/tpmrm0 is one: TLS of Node.js cannot use such a key.',
    examples: [
      example(
        '--attestation-ca https://ca.example.com/attestation/attestation-key',
        '--est https://ca.example.com/.well-known/est/device --subject laptop-7 --secret secret.txt',
        '--out identity',
      ),
      example(
        '--attestation-key 0x81010100 --attestation-certificate ak.pem',
        '--scep https://ca.example.com/scep/device --subject laptop-7 --secret secret.txt',
        '--nonce 3q2-7wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA --out identity',
      ),
    ],
    exits: [3, 4],
  })
    .option('--est <url>', 'label of EST: https://<host>/.well-known/est/<label>', checkUrl)
    .addOption(
      new Option('--scep <url>', 'template of SCEP: https://<host>/scep/<template>')
        .conflicts('est')
        .argParser(checkUrl),
    )
    .requiredOption('--trust <file>', 'PEM of the CAs that the server and its certificates are of')
    .addOption(
      new Option(
        '--attestation-ca <url>',
        'certifies an attestation key: https://<host>/attestation/<template>',
      )
        .conflicts(['attestationKey', 'attestationCertificate'])
        .argParser(checkUrl),
    )
    .option('--endorsement-certificate <file>', 'PEM, where the TPM itself keeps none: then the CAs above it')
    .option('--attestation-key <object>', 'persistent handle, or context file of tpm2-tools')
    .option(
      '--attestation-certificate <file>',
      "PEM: the attestation key's certificate, then the CAs above it",
    )
    .requiredOption('--out <folder>', 'where certificate, key and waiting request are kept')
    .option('--subject <name>', 'common name of the certificate; for a renewal it is that of the current one')
    .option('--secret <file>', 'one-time secret; - reads it from standard input')
    .option('--user <name>', 'user name beside the secret (default: --subject)')
    .addOption(
      new Option('--renew <folder>', 'of the identity that is renewed').conflicts([
        'subject',
        'secret',
        'user',
      ]),
    )
    .addOption(
      new Option('--key <algorithm>', 'of the new key (default: ec-p256; SCEP knows rsa-2048 alone)').choices(
        ['ec-p256', 'rsa-2048'],
      ),
    )
    .option('--nonce <base64url>', 'that the evidence is to hold; for SCEP, which gives out none', checkNonce)
    .option('--handle <handle>', 'keep the key in the TPM as well, at this persistent handle', checkHandle)
    .option('--wait <duration>', 'how long to ask again while it waits for approval', checkDuration, '10m')
    .option('--dry-run', 'write key and request, and send nothing')
    .action(
      run(async (session, options: AttestOptions) => {
        const { attest } = await import('../attest/attest.ts');
        await attest(session, options);
      }),
    );
}

function example(key: string, server: string, more: string): string {
  return ['sallyport attest --trust trust.pem', key, server, more].join(' \\\n    ');
}

function checkUrl(text: string): string {
  if (!URL.canParse(text) || !/^https?:/.test(text)) throw new InvalidArgumentError('It is no URL.');
  return text.replace(/\/+$/, '');
}

function checkNonce(text: string): string {
  if (!/^[\w-]{11,86}$/.test(text)) throw new InvalidArgumentError('It is base64url of 8 to 64 octets.');
  return text;
}

function checkHandle(text: string): string {
  if (!isHandle(text)) throw new InvalidArgumentError('A persistent handle is 0x81 and six digits.');
  return text;
}
