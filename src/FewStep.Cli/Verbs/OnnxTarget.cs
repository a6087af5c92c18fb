using FewStep.Onnx;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep export --to onnx</c>: a model, or a sampler with its model, as one ONNX file.</summary>
internal sealed class OnnxTarget(GraphFlags graph)
{
    public const string Name = "onnx";

    /// <summary>What is written, for the help.</summary>
    public const string Description =
        "--model as a file of ONNX, or with --sampler all its steps, from latents to images; --sampler own is the model's";

    private const double Million = 1e6;

    public void Write(ParseResult parsed, LevelsArgument levels, SamplerFlags sampling, string? output, bool json,
        TerminalOutput terminal, CancellationToken cancellation)
    {
        string path = output ?? throw new InvalidInputException($"--to {Name} needs a place: --output file.onnx.");
        var (opened, sampler) = graph.Open(parsed, levels, sampling, terminal, cancellation);
        using var model = opened;
        var options = graph.Read(parsed);
        var written = sampler is null ? OnnxExport.Write(model, path, options) : OnnxExport.WriteSampler(model, sampler, path, options);
        var result = new
        {
            file = path,
            kind = sampler is null ? "denoiser" : "sampler",
            sampler = sampler?.ToString(),
            bytes = written.Bytes,
            evaluations = written.Evaluations,
            relative_error = written.Error,
            rounding_error = options.HalfWeights ? written.RoundingError : (double?)null,
            model_hash = model.Hash,
        };
        string what = sampler is null ? $"The denoiser of {model.Name}" : $"{sampler} with {model.Name}, from latents to images,";
        string cost = InvariantText.Of($"{written.Evaluations} network evaluation{(written.Evaluations == 1 ? "" : "s")} an image"
            + $"{(sampler is null ? " and call" : "")}");
        terminal.Result(json, result,
            $"{what} is in {path}: {written.Bytes / Million:F1} MB, {cost}. ONNX Runtime was found to agree with the model to "
                + $"{written.Error:G2} of the largest value.");
        GraphFlags.SayRounding(terminal, options, written);
    }
}
