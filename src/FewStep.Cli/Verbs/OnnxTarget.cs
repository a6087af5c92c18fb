using FewStep.Onnx;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep export --to onnx</c>: a model, or a sampler with its model, as one ONNX file, or a model of latents as the folder of
/// a pipeline.</summary>
internal sealed class OnnxTarget(GraphFlags graph)
{
    public const string Name = "onnx";

    /// <summary>What is written, for the help.</summary>
    public const string Description =
        "--model as a file of ONNX, or with --sampler all its steps, from latents to images; --sampler own is the model's; a model of "
            + "latents, such as Stable Diffusion, as the folder of a pipeline";

    private const double Million = 1e6;

    public void Write(ParseResult parsed, LevelsArgument levels, SamplerFlags sampling, string? output, bool json,
        TerminalOutput terminal, CancellationToken cancellation)
    {
        string path = output ?? throw new InvalidInputException(
            $"--to {Name} needs a place: --output file.onnx, or a folder for a pipeline.");
        var (opened, sampler) = graph.Open(parsed, levels, sampling, terminal, cancellation);
        using var model = opened;
        var options = graph.Read(parsed);
        if (OnnxPipelineExport.Is(model))
        {
            WritePipeline(model, sampler, path, options, json, terminal);
            return;
        }

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

    private static void WritePipeline(
        Model model, Sampler? sampler, string folder, OnnxExportOptions options, bool json, TerminalOutput terminal)
    {
        if (folder.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidInputException($"{model.Name} denoises latents: its export is the folder of a pipeline, and --output {folder} "
                + "is the name of a file. Give a folder.");
        }

        AtomicFolder.RequireFree("--output", folder);
        var written = OnnxExport.WritePipeline(model, folder, sampler, options);
        var result = new
        {
            folder,
            kind = "pipeline",
            sampler = sampler?.ToString(),
            bytes = written.Bytes,
            relative_error = written.Error,
            rounding_error = options.HalfWeights ? written.RoundingError : (double?)null,
            model_hash = model.Hash,
        };
        terminal.Result(json, result,
            $"The pipeline of {model.Name} is in {folder}: {written.Bytes / Million:F1} MB. ONNX Runtime was found to agree with its "
                + $"networks to {written.Error:G2} of the largest value."
                + $"{(sampler is null ? "" : $" {sampler} lies beside them, for FewStep alone.")}");
        GraphFlags.SayRounding(terminal, options, written);
    }
}
