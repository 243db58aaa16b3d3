import { SallyportError } from '#errors';
import { octetAt } from './octets.ts';
import { tags } from './der-tags.ts';

/**
 * UTCTime `YYMMDDHHMMSSZ` or GeneralizedTime `YYYYMMDDHHMMSSZ` (RFC 5280 section 4.1.2.5: seconds present, no
 * fraction, Zulu) as milliseconds since 1970. A two-digit year of 50 or more is in the 1900s.
 */
export function parseTime(tag: number, bytes: Uint8Array, start: number, end: number, what: string): number {
  const yearDigits = tag === tags.utcTime ? 2 : 4;
  if (tag !== tags.utcTime && tag !== tags.generalizedTime) {
    throw new SallyportError('malformed', `${what}: expected a time, found tag 0x${tag.toString(16)}`);
  }
  if (end - start !== yearDigits + 11 || bytes[end - 1] !== 0x5a) throw notATime(what);
  for (let i = start; i < end - 1; i += 1) {
    if (octetAt(bytes, i) < 0x30 || octetAt(bytes, i) > 0x39) throw notATime(what);
  }
  const low = twoDigits(bytes, start + yearDigits - 2);
  const year = yearDigits === 4 ? twoDigits(bytes, start) * 100 + low : low < 50 ? 2000 + low : 1900 + low;
  const rest = start + yearDigits;
  const month = twoDigits(bytes, rest);
  const day = twoDigits(bytes, rest + 2);
  const hour = twoDigits(bytes, rest + 4);
  const minute = twoDigits(bytes, rest + 6);
  const second = twoDigits(bytes, rest + 8);
  if (month < 1 || month > 12 || day < 1 || day > daysIn(month, year)) throw notATime(what);
  if (hour > 23 || minute > 59 || second > 59) throw notATime(what);
  return ((daysSince1970(year, month, day) * 24 + hour) * 60 + minute) * 60_000 + second * 1000;
}

/** Tag and text of a time: UTCTime from 1950 to 2049, GeneralizedTime otherwise (RFC 5280 section 4.1.2.5). */
export function timeText(milliseconds: number): { readonly tag: number; readonly text: string } {
  const date = new Date(milliseconds);
  const year = date.getUTCFullYear();
  if (!(year >= 0 && year <= 9999)) {
    throw new SallyportError('malformed', `not a time that X.509 can write: ${milliseconds} ms`);
  }
  const rest = [
    date.getUTCMonth() + 1,
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  const digits = rest.map((part) => String(part).padStart(2, '0')).join('');
  if (year >= 1950 && year < 2050) {
    return { tag: tags.utcTime, text: `${String(year % 100).padStart(2, '0')}${digits}Z` };
  }
  return { tag: tags.generalizedTime, text: `${String(year).padStart(4, '0')}${digits}Z` };
}

function notATime(what: string): SallyportError {
  return new SallyportError('malformed', `${what}: not a time of the form [YY]YYMMDDHHMMSSZ`);
}

function twoDigits(bytes: Uint8Array, at: number): number {
  return (octetAt(bytes, at) - 0x30) * 10 + octetAt(bytes, at + 1) - 0x30;
}

function isLeapYear(year: number): boolean {
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
}

const daysOfMonth = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;

function daysIn(month: number, year: number): number {
  return month === 2 && isLeapYear(year) ? 29 : (daysOfMonth[month - 1] ?? 0);
}

/** Days in the proleptic Gregorian calendar. Years begin in March here, so that leap days come last. */
function daysSince1970(year: number, month: number, day: number): number {
  const marchYear = month > 2 ? year : year - 1;
  const marchMonth = month > 2 ? month - 3 : month + 9;
  const leapDays = Math.floor(marchYear / 4) - Math.floor(marchYear / 100) + Math.floor(marchYear / 400);
  return marchYear * 365 + leapDays + Math.floor((marchMonth * 153 + 2) / 5) + day - 1 - 719_468;
}
