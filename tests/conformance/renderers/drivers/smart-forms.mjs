// Smart Forms' renderer: its stores run without a page. A job may also ask for extraction by template.
import { inAppExtract } from "@aehrc/sdc-template-extract";
import { buildForm, getResponse, questionnaireStore } from "@aehrc/smart-forms-renderer";
import { run } from "./job.mjs";
import { amended, calculatedLinkIds, scoresIn } from "./responses.mjs";

await run(({ questionnaire, extract }) => {
  const linkIds = calculatedLinkIds(questionnaire);
  const scored = async (response) => {
    await buildForm({ questionnaire: structuredClone(questionnaire), questionnaireResponse: structuredClone(response) });
    return structuredClone(getResponse());
  };
  return async (one) => {
    let response;
    if (one.before) {
      const before = await scored(one.before);
      await questionnaireStore.getState().updateExpressions(amended(before, one.response, linkIds), false);
      response = structuredClone(getResponse());
    } else {
      response = await scored(one.response);
    }
    const result = { scores: scoresIn(response, linkIds) };
    if (!extract) return result;
    // The engine may drop what it does not know of; who, when and which response are the host's to keep.
    const { id, authored, subject, status } = one.response;
    const extracted = await inAppExtract({ ...response, id, authored, subject, status }, questionnaire, null);
    if (!extracted.extractSuccess) throw new Error(`nothing extracted: ${JSON.stringify(extracted)}`);
    return { ...result, extracted: extracted.extractResult.extractedBundle };
  };
});
