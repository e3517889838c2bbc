/** Which folder may know which others; tests and the lab know the program, never the other way round. */
export default {
  forbidden: [
    {
      name: "no-cycle",
      comment: "Files that need each other at run time are one file, or hide a third. Types may go round.",
      severity: "error",
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ["type-only"] } },
    },
    {
      name: "model-is-pure",
      comment:
        "model/ knows no SDK and does no input or output, so that all of it can be tested without a cloud.",
      severity: "error",
      from: { path: "^model/", pathNot: "^model/templates\\.ts$" },
      to: { pathNot: "^(model/|node_modules/(fflate|ipaddr\\.js|yaml|zod)/|(crypto|path)$)" },
    },
    {
      name: "templates-are-only-read",
      comment: "The one file of model/ that reads: the texts below templates/.",
      severity: "error",
      from: { path: "^model/templates\\.ts$" },
      to: { pathNot: "^(fs|path)$" },
    },
    {
      name: "components-turn-the-model-into-resources",
      comment: "components/ reads and writes no files and knows no commands, no lab, no tests.",
      severity: "error",
      from: { path: "^components/" },
      to: { pathNot: "^(components/|model/|node_modules/@pulumi/|timers/promises$)" },
    },
    {
      name: "index-puts-together",
      comment: "index.ts joins model/ and components/ and is joined by nothing but tests.",
      severity: "error",
      from: { path: "^index\\.ts$" },
      to: { pathNot: "^(components/|model/|node_modules/@pulumi/pulumi/|fs$)" },
    },
    {
      name: "commands-need-no-engine",
      comment: "What a user runs beside Pulumi works from the model alone.",
      severity: "error",
      from: { path: "^cli/" },
      to: { path: "^(index\\.ts$|components/|lab/|test/|node_modules/@pulumi/)" },
    },
    {
      name: "a-destroy-asks-openstack-as-the-program-does",
      comment: "destroy/ is run by the engine and called by nothing else.",
      severity: "error",
      from: { pathNot: "^(destroy|test)/" },
      to: { path: "^destroy/" },
    },
    {
      name: "lab-runs-the-program-from-outside",
      comment: "The lab builds what the model says and runs the program as a user does.",
      severity: "error",
      from: { path: "^lab/" },
      to: { path: "^(index\\.ts$|components/|test/)" },
    },
    {
      name: "plugins-stand-alone",
      comment: "A stand-in for a plugin is a process of its own that knows nothing of this program.",
      severity: "error",
      from: { path: "^lab/plugins/" },
      to: { path: "^(lab/(?!plugins/)|model/|cli/)" },
    },
    {
      name: "fast-tests-know-no-lab",
      comment:
        "Tests of the lab and of its plugins have folders of their own; what replaces a Kubernetes object is known there alone.",
      severity: "error",
      from: { path: "^test/(cli|contract|graph|helpers|model|render)/" },
      to: { path: "^(lab/|test/(lab|plugins)/)", pathNot: "^lab/plugins/kubernetes/kinds\\.ts$" },
    },
    {
      name: "tests-share-helpers-only",
      comment: "No test depends on another's file.",
      severity: "error",
      from: {},
      to: { path: "\\.(test|e2e|life)\\.ts$" },
    },
    {
      name: "program-needs-no-tools",
      comment: "What a user runs must come with `npm install --omit=dev`.",
      severity: "error",
      from: { path: "^(index\\.ts$|model/|components/|cli/|destroy/)" },
      to: { dependencyTypes: ["npm-dev"] },
    },
    {
      name: "everything-is-there",
      severity: "error",
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    // Types are dependencies too.
    tsPreCompilationDeps: true,
  },
};
