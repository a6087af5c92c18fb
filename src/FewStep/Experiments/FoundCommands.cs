namespace FewStep.Experiments;

/// <summary>How to go on with what was found: commands to copy, at the end of a report.</summary>
internal static class FoundCommands
{
    /// <param name="model">The model to sample.</param>
    /// <param name="sampler">File of the sampler.</param>
    /// <param name="isOwn">Whether the model is a folder that has the sampler as its own.</param>
    /// <param name="what">What the sampler is, for people.</param>
    /// <param name="data">Images to measure it on; null for no such command.</param>
    /// <param name="isFlow">Whether the model is a rectified flow, whose lists for other programs have another unit.</param>
    /// <param name="options">What else the model needs to be said, with a space before; a program needs more than that.</param>
    public static CommandSummary[] Of(
        string model, string sampler, bool isOwn, string what = "it", string? data = null, bool isFlow = false, string options = "")
    {
        string made = ShellWord.Of(model), file = ShellWord.Of(sampler);
        string with = isOwn ? "" : $" --sampler {file}", read = isOwn ? "" : $", Sampler.Read(\"{Literal(sampler)}\")";
        string unit = isFlow ? $" --noise {FlowTime.NoiseName}" : "";
        CommandSummary?[] commands =
        [
            new($"Sample with {what}", $"fewstep sample --model {made}{with}{options} --seeds 0-63 --out samples --grid samples.png"),
            new("The sigmas for another program", $"fewstep export --sampler {file} --to comfyui{unit}"),
            data is null ? null : new("Measure it again, with more samples", $"fewstep evaluate --model {made} --sampler {file}{options} "
                + $"--data {ShellWord.Of(data)} --out evaluation"),
            options.Length > 0 ? null : new("In a program",
                $"using var model = Model.Open(\"{Literal(model)}\");\nmodel.Sample(seeds: 64{read}).SaveGrid(\"samples.png\");"),
        ];
        return [.. commands.OfType<CommandSummary>()];
    }

    private static string Literal(string path) =>
        path.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
