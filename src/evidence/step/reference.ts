export interface StepReference {}
