// The sentence that holds the prediction against what the kernel showed. Pure.
import type { Language } from '@drydock/protocol/language.ts';
import type { PublicStep } from '@drydock/protocol/pages.ts';
import { fill } from './format.ts';

/** null until there are both, a prediction and an observation. `observed` is an option's id or the value itself. */
export function outcomeOf(
  predict: PublicStep['predict'],
  predicted: string | null,
  observed: string | null,
  language: Language,
): string | null {
  const chosen = predict.options.find((option) => option.id === predicted);
  if (!chosen || observed === null) return null;
  const shown = predict.options.find((option) => option.id === observed || option.label[language] === observed);
  return fill(predict.outcome[language], {
    predicted: chosen.label[language],
    observed: shown?.label[language] ?? observed,
  });
}
