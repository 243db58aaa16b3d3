import { InvalidArgumentError } from 'commander';

/** As configuration writes it; `parseDuration` of #config makes seconds of it. */
export function checkDuration(text: string): string {
  if (!/^[1-9]\d{0,8}[smhd]$/.test(text)) {
    throw new InvalidArgumentError('It is a number and a unit: 15m, 2h or 3d.');
  }
  return text;
}
