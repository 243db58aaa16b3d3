export interface StepClaims {
  readonly format: 'step';
}
