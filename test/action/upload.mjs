// Uploads files as the Action does, in a process of its own, whose environment is a runner's: node upload.mjs NAME ROOT FILE…
import { DefaultArtifactClient } from '@actions/artifact';

const [name, root, ...files] = process.argv.slice(2);
try {
  const uploaded = await new DefaultArtifactClient().uploadArtifact(name, files, root, { retentionDays: 3 });
  console.log(`uploaded: ${JSON.stringify(uploaded)}`);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
