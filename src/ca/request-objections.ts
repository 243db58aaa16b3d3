/** Each null, or words why not. The words name kinds and OIDs, but repeat no value that the request brought. */
export interface RequestObjections {
  readonly subject: string | null;
  readonly subjectAltName: string | null;
  /** Key usage and extended key usage. */
  readonly usage: string | null;
  readonly endEntity: string | null;
  readonly noSid: string | null;
  readonly extensions: string | null;
}

const noObjections: RequestObjections = {
  subject: null,
  subjectAltName: null,
  usage: null,
  endEntity: null,
  noSid: null,
  extensions: null,
};

/** Of several objections of one kind the first is kept. */
export function mergeObjections(parts: readonly Partial<RequestObjections>[]): RequestObjections {
  return parts.reduceRight<RequestObjections>(
    (merged, part) => ({
      subject: part.subject ?? merged.subject,
      subjectAltName: part.subjectAltName ?? merged.subjectAltName,
      usage: part.usage ?? merged.usage,
      endEntity: part.endEntity ?? merged.endEntity,
      noSid: part.noSid ?? merged.noSid,
      extensions: part.extensions ?? merged.extensions,
    }),
    noObjections,
  );
}

const mentioned = 5;

/** What is objected to, each once, cut where a request brings very many. */
export function mention(items: Iterable<string>): string {
  const all = [...new Set(items)];
  const more = all.length - mentioned;
  return all.slice(0, mentioned).join(', ') + (more > 0 ? ` and ${more} more` : '');
}
