/* The EHR's side of SMART Web Messaging: the app in our frame says that its user is done, and the frame is closed.
   Only the app in that frame is heard, from its own origin, and only with the handle of this launch. */
const frame = document.querySelector("iframe[data-handle]");
const closed = document.getElementById("closed");

function answer(message) {
  if (message.messageType === "status.handshake") return {};
  return { status: message.messageType === "ui.done" ? "success" : "failure" };
}

window.addEventListener("message", (event) => {
  const message = event.data;
  if (event.source !== frame.contentWindow || event.origin !== frame.dataset.app) return;
  if (!message?.messageId || message.messagingHandle !== frame.dataset.handle) return;
  const said = { messageId: crypto.randomUUID(), responseToMessageId: message.messageId, payload: answer(message) };
  event.source.postMessage(said, event.origin);
  if (message.messageType !== "ui.done") return;
  frame.remove();
  closed.hidden = false;
});
