import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Environment, readSecret } from '#config';
import { SallyportError } from '#errors';

/** Folder of the token files, beside the configuration. */
export const operatorsFolder = 'operators';

/**
 * The operator's token: of the file that --operator-token names, else $SALLYPORT_OPERATOR_TOKEN_FILE, else the only one of operators/ beside the
 * configuration. A file that others can read is refused.
 */
export async function readOperatorToken(where: {
  readonly named: string | undefined;
  readonly environment: Environment;
  readonly folder: string;
  readonly configurationFolder: string;
}): Promise<string> {
  const named = where.named ?? where.environment['SALLYPORT_OPERATOR_TOKEN_FILE'];
  const file =
    named === undefined
      ? await onlyToken(join(where.configurationFolder, operatorsFolder))
      : resolve(where.folder, named);
  return readSecret({ file }, where.folder, where.environment);
}

async function onlyToken(folder: string): Promise<string> {
  const names = await readdir(folder).catch(() => []);
  const tokens = names.filter((name) => name.endsWith('.token'));
  const [only] = tokens;
  if (only === undefined) {
    throw new SallyportError(
      'usage',
      `there is no operator's token in ${folder}; name its file with --operator-token`,
    );
  }
  if (tokens.length > 1) {
    throw new SallyportError(
      'usage',
      `${folder} has the tokens of several operators; choose yours with --operator-token ${join(folder, only)}`,
    );
  }
  return join(folder, only);
}
