/**
 * What a person means by the answer to a question of the demo.
 * Rule: only nothing at all and a no are a no; what is neither is asked again, so that a slip ends nothing.
 */
export function yesOrNo(answer: string): boolean | undefined {
  const said = answer.trim();
  if (/^y(es)?$/i.test(said)) return true;
  return /^(no?)?$/i.test(said) ? false : undefined;
}
