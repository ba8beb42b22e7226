// What every driver does with responses: carry earlier scores over, and read the scores that an engine left.

const CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression";

/** Return every item of a Questionnaire or QuestionnaireResponse, parents before their children. */
export function flat(items) {
  return (items ?? []).flatMap((item) => [item, ...flat(item.item)]);
}

/** Return the linkIds of the items that a calculatedExpression fills. */
export function calculatedLinkIds(questionnaire) {
  return flat(questionnaire.item)
    .filter((item) => item.extension?.some((extension) => extension.url === CALCULATED))
    .map((item) => item.linkId);
}

/** Return {linkId: number} of the scores that stand in a response; no entry where there is no score. */
export function scoresIn(response, linkIds) {
  const wanted = new Set(linkIds);
  const scores = {};
  for (const item of flat(response?.item)) {
    if (!wanted.has(item.linkId) || !item.answer?.length) continue;
    const answer = item.answer[0];
    const value = answer.valueDecimal ?? answer.valueInteger ?? answer.valueQuantity?.value;
    // Anything that is not a number travels as text, so that the comparison fails on it instead of overlooking it.
    scores[item.linkId] = typeof value === "number" ? value : JSON.stringify(answer);
  }
  return scores;
}

/** Return the new answers with the scores that an engine computed for the earlier answers still in place. */
export function amended(scoredBefore, response, linkIds) {
  const wanted = new Set(linkIds);
  const holders = (scoredBefore.item ?? []).filter((item) => flat([item]).some((part) => wanted.has(part.linkId)));
  const kept = (response.item ?? []).filter((item) => !holders.some((holder) => holder.linkId === item.linkId));
  return { ...structuredClone(response), item: structuredClone([...kept, ...holders]) };
}
