import { PageConfig } from "@jupyterlab/coreutils";
import { describe, expect, it } from "vitest";
import { passOverSubshells } from "./untracked";

const OPTION = "untracked_message_types";
const OURS = ["create_subshell_request", "delete_subshell_request"];

describe("the types of messages that say nothing of the state of a kernel", () => {
  it.each([
    ["ours are added to those there", '["comm_info_request"]', ["comm_info_request", ...OURS]],
    ["none is named twice", JSON.stringify(["x", OURS[1]]), ["x", OURS[1], OURS[0]]],
    ["an empty list is one, too", "[]", OURS],
  ])("%s", (_, before, after) => {
    PageConfig.setOption(OPTION, before);
    passOverSubshells();
    passOverSubshells();
    expect(JSON.parse(PageConfig.getOption(OPTION))).toEqual(after);
  });

  it.each([["no option"], ["no list"], ["no JSON"]])("%s is left alone", (what) => {
    const before = { "no option": "", "no list": '{"a":1}', "no JSON": "a, b" }[what] ?? "";
    PageConfig.setOption(OPTION, before);
    passOverSubshells();
    expect(PageConfig.getOption(OPTION)).toBe(before);
  });
});
