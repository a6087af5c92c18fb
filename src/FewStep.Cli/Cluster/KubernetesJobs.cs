using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace FewStep.Cli.Cluster;

/// <summary>The Jobs of a command, as kubectl takes them.</summary>
/// <param name="command">The command.</param>
/// <param name="name">What the names of the jobs begin with.</param>
internal sealed class KubernetesJobs(LaunchedCommand command, string name)
{
    private const string Volume = "work", Prepare = "prepare", Merge = "merge";
    private static readonly JsonSerializerOptions Indented =
        new() { WriteIndented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public required string Image { get; init; }
    public required string? Namespace { get; init; }

    /// <summary>The volume claim that all pods share.</summary>
    public required string VolumeClaim { get; init; }

    /// <summary>Where it is mounted in them.</summary>
    public required string Mount { get; init; }

    /// <summary>The program in the image.</summary>
    public required string Program { get; init; }

    /// <summary>Processors of a pod, as Kubernetes writes them; null for what it gives.</summary>
    public required string? Processors { get; init; }

    /// <summary>Memory of a pod, as Kubernetes writes it; null for what it gives.</summary>
    public required string? Memory { get; init; }

    public required int Gpus { get; init; }

    /// <summary>Most shards that run at the same time.</summary>
    public required int Parallelism { get; init; }

    /// <summary>How often a shard is tried again.</summary>
    public required int Retries { get; init; }

    /// <summary>Names and texts of the jobs, in the order in which they are applied.</summary>
    public IEnumerable<(string Name, string Text)> All()
    {
        if (command.IsPrepared)
            yield return Job(Prepare, Stage(Prepare), new JsonObject { ["backoffLimit"] = Retries });

        // Counted from 0 there; the shell takes the words as they are.
        string shard = InvariantText.Of($"exec \"$@\" \"$((JOB_COMPLETION_INDEX + 1))/{command.Count}\"");
        yield return Job("shards", ["sh", "-c", shard, "sh", Program, .. command.Words], new JsonObject
        {
            ["completionMode"] = "Indexed",
            ["completions"] = command.Count,
            ["parallelism"] = Parallelism,
            ["backoffLimitPerIndex"] = Retries,
        });
        yield return Job(Merge, Stage(Merge), new JsonObject { ["backoffLimit"] = Retries });
    }

    private string[] Stage(string stage) => [Program, .. command.Words, stage];

    private (string Name, string Text) Job(string stage, string[] line, JsonObject spec)
    {
        string full = $"{name}-{stage}";
        // A pod that is moved away is no failure of the work.
        spec["podFailurePolicy"] = JsonNode.Parse(
            """{ "rules": [ { "action": "Ignore", "onPodConditions": [ { "type": "DisruptionTarget", "status": "True" } ] } ] }""");
        spec["template"] = new JsonObject
        {
            ["metadata"] = new JsonObject { ["labels"] = Labels() },
            ["spec"] = new JsonObject
            {
                ["restartPolicy"] = "Never",
                ["containers"] = new JsonArray(Container(line)),
                ["volumes"] = new JsonArray(new JsonObject
                { ["name"] = Volume, ["persistentVolumeClaim"] = new JsonObject { ["claimName"] = VolumeClaim } }),
            },
        };
        var metadata = new JsonObject { ["name"] = full };
        if (Namespace is not null)
            metadata["namespace"] = Namespace;
        metadata["labels"] = Labels();
        var job = new JsonObject { ["apiVersion"] = "batch/v1", ["kind"] = "Job", ["metadata"] = metadata, ["spec"] = spec };
        return (full, $"{job.ToJsonString(Indented)}\n");
    }

    private JsonObject Container(string[] line)
    {
        // Kubernetes puts variables in place of $(NAME), and a $ in place of $$.
        string[] words = [.. line.Select(word => word.Replace("$", "$$", StringComparison.Ordinal))];
        var container = new JsonObject
        {
            ["name"] = "fewstep",
            ["image"] = Image,
            ["workingDir"] = Mount,
            ["command"] = new JsonArray([.. words.Select(word => JsonValue.Create(word))]),
            ["volumeMounts"] = new JsonArray(new JsonObject { ["name"] = Volume, ["mountPath"] = Mount }),
        };
        // More processors than were asked for may be used; memory and GPUs have one bound.
        var (requests, limits) = (new JsonObject(), new JsonObject());
        if (Processors is not null)
            requests["cpu"] = Processors;
        foreach (var resources in Memory is null ? [] : new[] { requests, limits })
            resources["memory"] = Memory;
        if (Gpus > 0)
            limits["nvidia.com/gpu"] = InvariantText.Of($"{Gpus}");
        if (requests.Count + limits.Count > 0)
            container["resources"] = new JsonObject { ["requests"] = requests, ["limits"] = limits };
        return container;
    }

    private JsonObject Labels() => new() { ["app.kubernetes.io/name"] = "fewstep", ["app.kubernetes.io/instance"] = name };
}
