import { expect, it } from "vitest";
import { nameProblem, urlProblem } from "./check";

it("an endpoint's name is one as the server takes it", () => {
  for (const good of ["", "a1", "orders-v2", "A-b"]) expect(nameProblem(good)).toBeUndefined();
  for (const bad of ["1a", "-a", "a-", "a b", "ä1", "a_b"]) expect(nameProblem(bad)).toBeDefined();
});

it("an address is one of the web", () => {
  for (const good of ["", "http://a", "https://a.example/b"])
    expect(urlProblem(good)).toBeUndefined();
  for (const bad of ["a", "ftp://a", "javascript:alert(1)"]) expect(urlProblem(bad)).toBeDefined();
});
