import { expect, it } from "vitest";
import { errorFrom, within } from "./http";

it("an error has the status that the server gave", () => {
  const body = JSON.stringify({
    code: 5,
    message: "workflow not found for ID: nope",
    details: [{ "@type": "type.googleapis.com/temporal.api.errordetails.v1.NotFoundFailure" }],
  });
  expect(errorFrom(404, "Not Found", body)).toMatchObject({
    code: "NOT_FOUND",
    status: 404,
    message: "workflow not found for ID: nope",
    details: ["temporal.api.errordetails.v1.NotFoundFailure"],
    transient: false,
  });
});

it("an answer of something in between has a status, too", () => {
  expect(errorFrom(502, "Bad Gateway", "<html>")).toMatchObject({
    code: "UNAVAILABLE",
    message: "Bad Gateway",
    transient: true,
  });
  expect(errorFrom(401, "", "null")).toMatchObject({
    code: "UNAUTHENTICATED",
    message: "the server answered 401",
  });
});

it("ids of any characters stay one part of the path", () => {
  expect(within("a/b", "workflows", "x?y#z/..")).toBe("namespaces/a%2Fb/workflows/x%3Fy%23z%2F..");
});
