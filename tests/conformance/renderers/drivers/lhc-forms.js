// Runs inside the page, on the form that LHC-Forms has rendered there: answer it, let it calculate, read the result.
// One rendered form serves all cases: each new set of answers replaces the one before, as a person's corrections do.
"use strict";

const CALCULATED = "http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-calculatedExpression";

/** Return every item of a resource, parents before their children. */
function flat(items) {
  return (items ?? []).flatMap((item) => [item, ...flat(item.item)]);
}

/** Return an answer in the form's own terms: an entry of the item's list, a boolean or a text; undefined for none. */
function ownValue(item, answer) {
  if (answer === undefined) return undefined;
  if (answer.valueBoolean !== undefined) return answer.valueBoolean;
  if (answer.valueString !== undefined) return answer.valueString;
  const { system, code } = answer.valueCoding;
  const option = (item.answers ?? []).find((one) => one.code === code && one.system === system);
  if (!option) throw new Error(`${item.linkId} offers no ${system}#${code}`);
  return option;
}

async function rendered(questionnaire) {
  window.verstel = { calculated: new Set() };
  for (const item of flat(questionnaire.item)) {
    if (item.extension?.some((one) => one.url === CALCULATED)) window.verstel.calculated.add(item.linkId);
  }
  await LForms.Util.addFormToPage(questionnaire, "form", { fhirVersion: "R4" });
  const form = LForms.Util._getFormObjectInScope("#form");
  await form._expressionProcessor.runCalculations(false);
  return document.getElementById("form").innerText;
}

/** Show a form with a saved response in it, as a host does that lets people go on or look back. */
async function reopened({ questionnaire, response }) {
  await LForms.Util.addFormToPage(questionnaire, "form", { fhirVersion: "R4", questionnaireResponse: response });
}

async function settled(form, response) {
  const answers = new Map(flat(response.item).map((item) => [item.linkId, item.answer?.[0]]));
  const unknown = new Set(answers.keys());
  for (const item of form.itemList) {
    unknown.delete(item.linkId);
    // A calculated item keeps what the form put there: a stale score must be replaced by the form itself.
    if (window.verstel.calculated.has(item.linkId) || item.dataType === "SECTION") continue;
    item.value = ownValue(item, answers.get(item.linkId));
  }
  if (unknown.size) throw new Error(`the form has no ${[...unknown].join(", ")}`);
  await form._expressionProcessor.runCalculations(false);
}

function scoresIn(response) {
  const scores = {};
  for (const item of flat(response.item)) {
    if (!window.verstel.calculated.has(item.linkId) || !item.answer?.length) continue;
    const value = item.answer[0].valueDecimal ?? item.answer[0].valueInteger;
    scores[item.linkId] = typeof value === "number" ? value : JSON.stringify(item.answer[0]);
  }
  return scores;
}

/** Answer the rendered form as each case says; `extract` also returns the Observations that the form makes. */
async function answered({ cases, extract }) {
  const form = LForms.Util._getFormObjectInScope("#form");
  const results = [];
  for (const one of cases) {
    try {
      if (one.before) await settled(form, one.before);
      await settled(form, one.response);
      const options = extract ? { extract: true, subject: { resourceType: "Patient", id: "one" } } : {};
      const made = LForms.Util.getFormFHIRData("QuestionnaireResponse", "R4", form, options);
      const [response, ...observations] = extract ? made : [made];
      const more = { ...(extract ? { extracted: observations } : {}), ...(one.whole ? { response } : {}) };
      results.push({ name: one.name, scores: scoresIn(response), ...more });
    } catch (error) {
      results.push({ name: one.name, error: String(error?.stack ?? error) });
    }
  }
  return results;
}

/** Return what a person sees: per question its words and the words of its options, top to bottom. */
function seen() {
  return [...document.querySelectorAll("#form .lhc-item-question")].map((element) => ({
    text: element.querySelector(".question")?.innerText,
    options: [...element.querySelectorAll("[role=radiogroup] label")].map((label) => label.innerText.trim()),
  }));
}

/** Return all words of the form as a person sees them. */
function words() {
  return document.getElementById("form").innerText;
}

/** Return the form's own response, once it has come to rest. */
async function kept() {
  const form = LForms.Util._getFormObjectInScope("#form");
  await form._expressionProcessor._currentRunPromise;
  return LForms.Util.getFormFHIRData("QuestionnaireResponse", "R4", form);
}

/** Return answers and scores as they stand after somebody worked in the form, once it has come to rest by itself. */
async function standing() {
  const form = LForms.Util._getFormObjectInScope("#form");
  await new Promise((resume) => setTimeout(resume)); // behind the calculation that the last click asked for
  await form._expressionProcessor._currentRunPromise;
  const response = LForms.Util.getFormFHIRData("QuestionnaireResponse", "R4", form);
  const answers = {};
  for (const item of flat(response.item)) {
    if (!item.answer?.length || window.verstel.calculated.has(item.linkId)) continue;
    const { valueCoding, valueBoolean, valueString } = item.answer[0];
    answers[item.linkId] = valueCoding?.code ?? valueBoolean ?? valueString;
  }
  return { answers, scores: scoresIn(response) };
}
