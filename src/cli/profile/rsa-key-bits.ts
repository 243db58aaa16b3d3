import type { Template } from '#ca';
import { SallyportError } from '#errors';

/** The shortest RSA key that both the template and the client know. Throws 'usage' where there is none. */
export function rsaKeyBits(
  { name, keyAlgorithms }: Pick<Template, 'name' | 'keyAlgorithms'>,
  client: string,
  sizes: readonly number[] = [2048, 3072, 4096],
): number {
  const allowed = sizes.find((bits) => keyAlgorithms.some((algorithm) => algorithm === `rsa-${bits}`));
  if (allowed !== undefined) return allowed;
  throw new SallyportError(
    'usage',
    `template ${name} is for keys of ${keyAlgorithms.join(', ')}, and ${client} makes RSA keys of ${sizes.join(' or ')} bits`,
  );
}
