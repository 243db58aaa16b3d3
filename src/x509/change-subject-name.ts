import { SallyportError } from '#errors';
import type { DerCursor, DerNode } from './der-node.ts';
import { contextConstructed, tags } from './der-tags.ts';
import { type GeneralName, generalNamesOf } from './general-name.ts';
import { type Name, nameOf } from './name.ts';

/** The name that the next certificate is to have instead of the present one's. null: that part is not named. */
export interface ChangeSubjectName {
  readonly subject: Name | null;
  readonly subjectAltName: readonly GeneralName[] | null;
}

/**
 * ChangeSubjectName ::= SEQUENCE { subject Name OPTIONAL, subjectAlt [1] SubjectAltName OPTIONAL }, at least one of them
 * (RFC 6402 section 2.8). The tag [1], implicit as all of its module, is of erratum 3943; the RFC itself has none. What it
 * has is read too, as EJBCA writes it: a Name is of SETs, GeneralNames are of context tags and never empty, so neither
 * passes for the other.
 */
export function changeSubjectNameOf(node: DerNode): ChangeSubjectName {
  const fields = node.sequence('ChangeSubjectName');
  const first = fields.optional(tags.sequence);
  const untagged = first !== null && isGeneralNames(first);
  const subject = first === null || untagged ? null : nameOf(first);
  const subjectAlt = untagged ? first.children('subjectAlt') : subjectAltOf(fields);
  fields.finish();
  if (subject === null && subjectAlt === null) {
    throw new SallyportError('malformed', 'ChangeSubjectName: neither subject nor subjectAlt');
  }
  return { subject, subjectAltName: subjectAlt === null ? null : generalNamesOf(subjectAlt) };
}

function subjectAltOf(fields: DerCursor): DerCursor | null {
  const node = fields.optional(contextConstructed(1)) ?? fields.optional(tags.sequence);
  return node?.children('subjectAlt') ?? null;
}

/** Whether the first element inside is of class context-specific. */
function isGeneralNames(node: DerNode): boolean {
  const [first = 0] = node.content;
  return (first & 0xc0) === 0x80;
}
