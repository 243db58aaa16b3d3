export type { CaaRequest } from './caa.ts';
export { type Challenge, type ChallengeType, challengeTypes } from './challenge.ts';
export { type Identifier, identifierProblem } from './identifier.ts';
export type { ValidationOutcome, ValidationProblem } from './outcome.ts';
export type { Perspective, ValidationSettings } from './settings.ts';
export { validate, validateCaa } from './validate.ts';
