/** What users are told of a command: a notification of what happened, a dialog of what failed. */

import { Dialog, Notification, showDialog } from "@jupyterlab/apputils";
import type { TranslationBundle } from "@jupyterlab/translation";
import { Widget } from "@lumino/widgets";
import { h } from "../../core/dom";
import { sentencesOf } from "./messages-text";

export interface Button {
  readonly label: string;
  readonly callback: () => void;
}

export function tell(message: string, button: Button | null = null): void {
  Notification.success(message, {
    autoClose: button ? 10_000 : 5000,
    actions: button ? [button] : [],
  });
}

/** What was asked for cannot be done here. */
export function tellProblem(why: string): void {
  Notification.warning(why, { autoClose: 10_000 });
}

/** Something that was asked for is done later. */
export function tellLate(why: string): void {
  Notification.info(why, { autoClose: 10_000 });
}

/** The problem, and what to do about it. */
export async function showFailure(title: string, error: unknown, trans: TranslationBundle) {
  const texts = sentencesOf(error);
  const body = new Widget({ node: h("div", {}, ...texts.map((text) => h("p", {}, text))) });
  // Dots promise a question, which was answered.
  const name = title.replace(/\u2026$/, "");
  await showDialog({ title: name, body, buttons: [Dialog.okButton({ label: trans.__("OK") })] });
}
