import { dirname, join } from 'node:path';
import { initialConfiguration, parseConfiguration, type Configuration } from '#config';
import { SallyportError } from '#errors';
import type { KeyAlgorithm } from '#keys';

export interface InitSettings {
  /** Absolute. */
  readonly directory: string;
  readonly name: string;
  readonly portBase: number;
  /** Of the root and the issuing CA. */
  readonly algorithm: KeyAlgorithm;
  /** null: made of the name. */
  readonly logOrigin: string | null;
}

export interface InitPlan extends InitSettings {
  /** sallyport.yaml, whole. */
  readonly text: string;
  /** What it says, with the paths that it will have. */
  readonly configuration: Configuration;
}

/** The first operator; more come when there is more than one person. */
export const firstOperator = 'admin';

/** Relative to the authority's folder: what sallyport.yaml does not name. */
export const layout = {
  configuration: 'sallyport.yaml',
  /** Root first, then the issuing CA: strongSwan wants both. */
  trust: 'pki/trust.pem',
  token: `operators/${firstOperator}.token`,
  rootKey: 'offline/root.key.pem',
  rootPassphrase: 'offline/root.passphrase',
  rootWords: 'offline/README.txt',
} as const;

/** Everything that can be wrong with what was asked is found before anything is written. Throws 'usage', 'config'. */
export function planInit(settings: InitSettings): InitPlan {
  const { directory, name, portBase, logOrigin } = settings;
  const initial = { name, portBase, directory };
  const text = initialConfiguration(logOrigin === null ? initial : { ...initial, logOrigin });
  const configuration = parseConfiguration(Buffer.from(text), join(directory, layout.configuration));
  demandInside(configuration);
  return { ...settings, text, configuration };
}

/** What init writes, it writes below one folder, which is put in place as a whole. */
function demandInside(configuration: Configuration): void {
  const { directory } = configuration;
  const outside = filesOf(configuration).find((file) => !dirname(file).startsWith(directory));
  if (outside !== undefined) {
    throw new SallyportError('internal', `the first configuration names ${outside}, outside ${directory}`);
  }
}

function filesOf({ issuers, authority, log }: Configuration): string[] {
  return [
    join(authority.data, 'x'),
    log.checkpointFile,
    log.key.file,
    ...issuers.flatMap(({ certificate, key, ra }) => [
      certificate,
      key.file,
      ...(ra === null ? [] : [ra.key.file]),
    ]),
  ];
}
