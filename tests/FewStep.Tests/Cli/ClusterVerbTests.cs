using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using FewStep.Shards;
using k8s;
using k8s.Models;

namespace FewStep.Tests.Cli;

/// <summary>What is written for the schedulers of clusters, read and run as they do; tests/cluster/slurm.sh has a real Slurm run
/// it.</summary>
public sealed class ClusterVerbTests : IDisposable
{
    private const string Odd = "it's 5 % of $(HOME) \"x\" $$ `y` \\ ü";
    private readonly string _root = Directory.CreateTempSubdirectory("fewstep-cluster-").FullName;

    // Stands in for a program of Slurm, or for fewstep: says its words, one a line, into a file of its own.
    private const string Recorder = "#!/bin/bash\nprintf '%s\\n' \"$@\" >>\"$RECORDS/said-$(basename \"$0\")\"\n";

    [Theory]
    [InlineData("behind '--'", "slurm", "--shards", "3", "sample")]
    [InlineData("'tune' cannot be divided; what takes --shard can: schedule, fit, sample, evaluate, compare.", "slurm", "--shards", "3",
        "--", "tune")]
    [InlineData("'smaple': There is no verb 'smaple'. Did you mean sample?", "slurm", "--shards", "3", "--", "smaple")]
    [InlineData("There is no option '--seedz' of sample. Did you mean --seeds?", "slurm", "--shards", "3", "--", "sample", "--seedz", "3")]
    [InlineData("leave --shard out", "slurm", "--shards", "3", "--", "sample", "--shard", "1/2", "--out", "@")]
    [InlineData("leave --local out", "slurm", "--shards", "3", "--", "sample", "--local", "2", "--out", "@")]
    [InlineData("name it with --out", "slurm", "--shards", "3", "--", "sample", "--grid", "@/g.png")]
    [InlineData("no shard 1/0", "slurm", "--shards", "0", "--", "sample", "--out", "@")]
    [InlineData("--time '1h' must be minutes", "slurm", "--shards", "3", "--time", "1h", "--", "sample", "--out", "@")]
    [InlineData("--mem '4 GB' must be", "slurm", "--shards", "3", "--mem", "4 GB", "--", "sample", "--out", "@")]
    [InlineData("a shard computes on one GPU", "slurm", "--shards", "3", "--gpus", "2", "--", "sample", "--out", "@")]
    [InlineData("--device cpu does not use", "slurm", "--shards", "3", "--gpus", "1", "--", "sample", "--device", "cpu", "--out", "@")]
    [InlineData("--cpus-per-task '0' must be", "slurm", "--shards", "3", "--cpus-per-task", "0", "--", "sample", "--out", "@")]
    [InlineData("--sbatch 'qos' must be an option", "slurm", "--shards", "3", "--sbatch", "qos", "--", "sample", "--out", "@")]
    [InlineData("--max-running 0", "slurm", "--shards", "3", "--max-running", "0", "--", "sample", "--out", "@")]
    [InlineData("--job-name 'A b' must have", "slurm", "--shards", "3", "--job-name", "A b", "--", "sample", "--out", "@")]
    [InlineData("does nothing without --submit", "slurm", "--shards", "3", "--only-missing", "--", "sample", "--out", "@")]
    [InlineData("holds no parts", "slurm", "--shards", "3", "--only-missing", "--submit", "--", "sample", "--out", "@")]
    [InlineData("--namespace 'a.b' must be a DNS label", "kubernetes", "--namespace", "a.b")]
    [InlineData("--volume-claim 'A' must be a DNS name", "kubernetes", "--volume-claim", "A")]
    [InlineData("--image 'a b' must be", "kubernetes", "--image", "a b")]
    [InlineData("--mount 'work' must be a path", "kubernetes", "--mount", "work")]
    [InlineData("--out '/other' does not lie in /data", "kubernetes", "--mount", "/data/", "--", "sample", "--out", "/other")]
    [InlineData("--out '../x' does not lie in /work", "kubernetes", "--", "sample", "--out", "../x")]
    [InlineData("--cpu '0' must be", "kubernetes", "--cpu", "0")]
    [InlineData("--memory '4GB' must be", "kubernetes", "--memory", "4GB")]
    [InlineData("--gpus must be 0 or 1", "kubernetes", "--gpus", "2")]
    [InlineData("--job-name 'fewstep_x' must have", "kubernetes", "--job-name", "fewstep_x")]
    [InlineData("must have 1 to 53", "kubernetes", "--job-name", "a234567890123456789012345678901234567890123456789012345")]
    public async Task What_cannot_be_launched_is_refused(string fragment, string launcher, params string[] options)
    {
        if (launcher == "kubernetes")
        {
            string[] usual = ["--image", "a", "--volume-claim", "b"], command = ["--", "sample", "--out", "x"];
            options = [.. usual.Chunk(2).Where(u => !options.Contains(u[0])).SelectMany(u => u), "--shards", "20", "--write", "@",
                .. options, .. options.Contains("--") ? [] : command];
        }

        string folder = Path.Combine(_root, "refused");
        await CommandLineRun.Refused(
            fragment, ["cluster", launcher, .. options.Select(o => o.Replace("@", folder, StringComparison.Ordinal))]);
        Assert.False(File.Exists(Path.Combine(folder, "shards.json")));
    }

    // The script as Slurm would run it: each job's command, with every word as it was said.
    [Fact]
    public async Task Slurm_jobs_run_the_stages_of_the_command_with_its_words()
    {
        string folder = Path.Combine(_root, Odd.Replace('\\', '/')), program = Recording("few step's");
        string[] line = ["compare", "--nfe", "4", "--model", Odd, "--json", "--out", folder];
        string[] options = ["--shards", "7", "--program", program, "--setup", "export SET=1", "--setup", "[ \"$SET\" = 1 ]"];
        var printed = await Launched(["slurm", .. options], line);
        string script = printed.GetProperty("script").GetString()!;
        Assert.Equal(Path.Combine(folder, "slurm", "submit.sh"), script);
        foreach (var (role, stage) in new[] { ("run-prepare", "prepare"), ("run-shard", "3/7"), ("run-merge", "merge") })
        {
            Assert.Equal(0, Bash([script, role], ("SLURM_ARRAY_TASK_ID", "3")).Code);
            string[] expected = ["compare", "--model", Odd, "--nfe", "4", "--json", "--out", folder, "--shard", stage];
            string[] said = Said(program);
            Assert.Equal(expected.Order(), said.Order());
            Assert.Equal(["--out", folder, "--shard", stage], said[^4..]);
        }

        Assert.Equal(2, Bash([script, "x"]).Code);
        await Launched(["slurm", .. options], line); // the same again
        await CommandLineRun.Refused("is there and differs", ["cluster", "slurm", .. options, "--max-running", "2", "--", .. line]);
        await Launched(["slurm", .. options, "--max-running", "2", "--replace"], line);
    }

    [Fact]
    public async Task Slurm_jobs_wait_for_each_other_and_are_taken_back_where_one_is_refused()
    {
        string folder = Path.Combine(_root, "my 5 % out");
        string[] options = ["slurm", "--shards", "9", "--max-running", "2", "--partition", "gpu", "--account", "a", "--time",
            "1-0:30", "--gpus", "a100:1", "--mem", "8G", "--cpus-per-task", "4", "--job-name", "mine", "--requeue", "--sbatch=--qos=long"];
        string[] line = ["evaluate", "--steps", "4", "--out", folder];
        string script = (await Launched(options, line)).GetProperty("script").GetString()!;
        string sbatch = Recording("sbatch", "echo \"$(($(wc -l <\"$RECORDS/said-sbatch\")));cluster\"\n"
            + "[ ! -e \"$RECORDS/full\" ] || [ \"${*: -1}\" != run-merge ]");
        Recording("scancel");
        var run = Bash([script]);
        Assert.True(run.Code == 0, run.Errors);
        string[] jobs = [.. run.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        Assert.Equal(["prepare", "shards", "merge"], jobs.Select(j => j.Split(' ')[0]));
        string[] said = Said(sbatch);
        foreach (string one in new[] { "--partition=gpu", "--account=a", "--time=1-0:30", "--gres=gpu:a100:1", "--mem=8G", "--requeue",
            "--cpus-per-task=4", "--qos=long", "--job-name=mine", "--parsable" })
        {
            Assert.Equal(3, said.Count(s => s == one));
        }

        Assert.Contains("--array=1-9%2", said);
        Assert.Contains($"--output={folder.Replace("%", "%%", StringComparison.Ordinal)}/slurm/shard-%a-%A.log", said);
        Assert.Equal(jobs[..2].Select(j => $"--dependency=afterok:{j.Split(' ')[1]}"),
            said.Where(s => s.StartsWith("--dep", StringComparison.Ordinal)));
        Assert.True(Directory.Exists(Path.Combine(folder, "slurm")));
        Assert.Contains("--device cuda", File.ReadAllText(script), StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(_root, "full"), "");
        Assert.NotEqual(0, Bash([script, "3,5-7"]).Code);
        Assert.Contains("--array=3,5-7%2", Said(sbatch));
        Assert.Equal(2, Said(Path.Combine(_root, "scancel")).Length);
    }

    [Fact]
    public async Task Shards_that_are_missing_are_submitted_alone()
    {
        string folder = Path.Combine(_root, "out");
        string[] line = ["sample", "--seeds", "0-99", "--out", folder], words = ["sample", "--seeds", "0-99"];
        foreach (int i in new[] { 1, 2, 4, 5, 9 })
            Part.Begin(folder, new Shard(i, 9), Sha256.Of("a"), words).Mark(done: i != 4);
        Recording("sbatch", "echo 7");
        string[] options = ["slurm", "--shards", "9", "--only-missing", "--submit"];
        string path = Environment.GetEnvironmentVariable("PATH")!;
        try
        {
            Environment.SetEnvironmentVariable("PATH", "/nowhere");
            await CommandLineRun.Refused("There is no sbatch", ["cluster", .. options, "--", .. line]);
            Environment.SetEnvironmentVariable("PATH", $"{_root}:{path}");
            Environment.SetEnvironmentVariable("RECORDS", _root);
            Assert.Equal("3-4,6-8", await Submitted());
            Assert.Contains("--array=3-4,6-8", Said(Path.Combine(_root, "sbatch")));
            await CommandLineRun.Refused(
                "is a part of 'sample --seeds 0-99' in 9 shards", ["cluster", .. options, "--", .. line, "--label", "1"]);
            foreach (int i in Enumerable.Range(1, 9))
                Part.Begin(folder, new Shard(i, 9), Sha256.Of("a"), words).Mark(done: true);
            Assert.Equal("none", await Submitted());

            // What a merge finds missing is missing from then on.
            Assert.Throws<InvalidInputException>(() => Parts.Of(folder).RequireAll(p => p.Shard.Number == 2 ? "an image" : null));
            Assert.Equal("2", await Submitted());
            Recording("sbatch", "echo 'sbatch: error: no such partition' >&2; exit 1");
            await CommandLineRun.Refused(
                "Slurm did not take the jobs: sbatch: error: no such partition", ["cluster", .. options, "--", .. line]);
        }
        finally
        {
            Environment.SetEnvironmentVariable("PATH", path);
        }

        async Task<string?> Submitted() => (await Launched(options, line)).GetProperty("shards").GetString();
    }

    [Fact]
    public async Task Jobs_of_Kubernetes_are_Jobs_and_run_the_stages_of_the_command()
    {
        string folder = Path.Combine(_root, "jobs"), program = Recording("fewstep");
        string[] line = ["compare", "--nfe", "4", "--model", Odd, "--out", "o ut"];
        const string image = "registry.local:5000/fewstep@sha256:0";
        string[] options = ["--image", image, "--volume-claim", "work.claim", "--mount", "/data", "--namespace", "mine", "--cpu", "1500m",
            "--memory", "8Gi", "--max-running", "3", "--backoff-limit-per-index", "5", "--job-name", "night", "--program", program];
        var printed = await Launched(["kubernetes", "--shards", "7", .. options, "--write", folder], line);
        Assert.Equal(6, printed.GetProperty("commands").GetArrayLength());
        foreach (var (name, stage) in new[] { ("prepare", "prepare"), ("shards", "3/7"), ("merge", "merge") })
        {
            var job = Read(Path.Combine(folder, $"night-{name}.json"));
            Assert.Equal(("batch/v1", "Job"), (job.ApiVersion, job.Kind));
            Assert.Equal(($"night-{name}", "mine"), (job.Metadata.Name, job.Metadata.NamespaceProperty));
            var pod = job.Spec.Template.Spec;
            var container = Assert.Single(pod.Containers);
            Assert.Equal(("Never", image, "/data"), (pod.RestartPolicy, container.Image, container.WorkingDir));
            Assert.Equal("work.claim", Assert.Single(pod.Volumes).PersistentVolumeClaim.ClaimName);
            Assert.Equal((pod.Volumes[0].Name, "/data"), (Assert.Single(container.VolumeMounts).Name, container.VolumeMounts[0].MountPath));
            Assert.Equal(1.5m, container.Resources.Requests["cpu"].ToDecimal());
            Assert.Equal(8m * (1L << 30), container.Resources.Limits["memory"].ToDecimal());
            int?[] numbers = [job.Spec.Completions, job.Spec.Parallelism, job.Spec.BackoffLimitPerIndex, job.Spec.BackoffLimit];
            Assert.Equal(name == "shards" ? [7, 3, 5, null] : [null, null, null, 5], numbers);
            Assert.Equal(name == "shards" ? "Indexed" : null, job.Spec.CompletionMode);
            Assert.Equal(0, Start(Expanded(container.Command), ("JOB_COMPLETION_INDEX", "2")).Code);
            string[] expected = ["compare", "--model", Odd, "--nfe", "4", "--threads", "2", "--out", "o ut", "--shard", stage];
            Assert.Equal(expected.Order(), Said(program).Order());
        }
    }

    [Fact]
    public async Task A_pod_with_a_GPU_computes_on_it()
    {
        await Launched(
            ["kubernetes", "--shards", "2", "--image", "a", "--volume-claim", "b", "--gpus", "1", "--mount", "/shared", "--write", _root],
            ["sample", "--out", "/shared/x"]);
        Assert.False(File.Exists(Path.Combine(_root, "fewstep-sample-prepare.json")));
        var job = Read(Path.Combine(_root, "fewstep-sample-shards.json"));
        var container = job.Spec.Template.Spec.Containers[0];
        Assert.Equal("1", container.Resources.Limits["nvidia.com/gpu"].ToString());
        Assert.Contains("cuda", container.Command);
        Assert.Equal(2, job.Spec.Parallelism);
    }

    [Fact]
    public async Task A_shell_completes_the_command_behind_the_separator()
    {
        const string line = "fewstep cluster slurm --shards 3 -- sample --solver ip";
        Assert.Contains("ipndm", (await CommandLineRun.Of($"[suggest:{line.Length}]", line)).Output, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static async Task<JsonElement> Launched(string[] options, string[] line)
    {
        var run = await CommandLineRun.Of(["cluster", .. options, "--json", "--", .. line]);
        Assert.True(run.Code == 0, run.Messages);
        using var document = JsonDocument.Parse(run.Output);
        return document.RootElement.Clone();
    }

    // Kubernetes' own types: a field that they do not know is an error.
    private static V1Job Read(string path)
    {
        string text = File.ReadAllText(path);
        var job = KubernetesJson.Deserialize<V1Job>(text);
        var back = JsonNode.Parse(KubernetesJson.Serialize(job))!;
        Assert.True(JsonNode.DeepEquals(Plain(JsonNode.Parse(text)!), Plain(back)), $"{text}\n{back}");
        return job;
    }

    // Without objects that hold nothing.
    private static JsonNode Plain(JsonNode node)
    {
        if (node is JsonObject item)
        {
            foreach (var (key, value) in item.ToList())
            {
                if (value is null || (Plain(value) is JsonObject { Count: 0 }))
                    item.Remove(key);
            }
        }
        else if (node is JsonArray list)
        {
            foreach (var value in list)
                Plain(value!);
        }

        return node;
    }

    // As Kubernetes does: $$ is a $, and $(NAME) a variable of the container, of which there are none but the index.
    private static string[] Expanded(IEnumerable<string> words) => [.. words.Select(word =>
    {
        var text = new StringBuilder();
        for (int i = 0; i < word.Length; i++)
        {
            Assert.False(word[i] == '$' && i + 1 < word.Length && word[i + 1] == '(', word);
            text.Append(word[i]);
            if (word[i] == '$' && i + 1 < word.Length && word[i + 1] == '$')
                i++;
        }

        return text.ToString();
    })];

    private string Recording(string name, string more = "")
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "The jobs run in a shell of Unix.");
        string path = Path.Combine(_root, name);
        File.WriteAllText(path, $"{Recorder}{more}\n");
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return path;
    }

    // The words that a program was called with since they were last asked for.
    private string[] Said(string program)
    {
        string path = Path.Combine(_root, $"said-{Path.GetFileName(program)}");
        string[] lines = File.ReadAllLines(path);
        File.Delete(path);
        return lines;
    }

    private (int Code, string Output, string Errors) Bash(string[] words, params (string, string)[] variables) =>
        Start(["bash", .. words], variables);

    private (int Code, string Output, string Errors) Start(string[] words, params (string, string)[] variables)
    {
        var start = new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["PATH"] = $"{_root}:{start.Environment["PATH"]}";
        start.Environment["RECORDS"] = _root;
        foreach (var (name, value) in variables)
            start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }
}
