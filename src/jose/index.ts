export { decodeBase64Url, encodeBase64Url } from './base64url.ts';
export { type Members, membersOf, parseJson } from './json.ts';
export { type Jwk, parseJwk } from './jwk.ts';
export { type JwsAlgorithm, jwsAlgorithms } from './jws-algorithm.ts';
export { type Jws, type JwsHeader, type JwsSigner, type VerifiedJws, parseJws, verifyJws } from './jws.ts';
export { type MacJws, type MacJwsHeader, type VerifiedMacJws, parseMacJws, verifyMac } from './mac-jws.ts';
export { thumbprint } from './thumbprint.ts';
