import { encodeGeneralNames, parseGeneralNames } from '../general-name.ts';

/** SubjectAltName ::= GeneralNames (RFC 5280 section 4.2.1.6). */
export { encodeGeneralNames as encodeSubjectAltName, parseGeneralNames as parseSubjectAltName };
