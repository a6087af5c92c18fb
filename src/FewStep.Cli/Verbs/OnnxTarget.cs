using FewStep.Onnx;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep export --to onnx</c>: a model, or a sampler with its model, as one ONNX file.</summary>
internal sealed class OnnxTarget(Command command)
{
    public const string Name = "onnx";

    /// <summary>What is written, for the help.</summary>
    public const string Description =
        "--model as a file of ONNX, or with --sampler all its steps, from latents to images; --sampler own is the model's";

    /// <summary>In place of a sampler: the model's.</summary>
    public const string OwnSampler = "own";

    private const string Single = "float32", Half = "float16";
    private const double Million = 1e6;

    private readonly Option<string> _stored = command.Named(
        "--weights-type", $"With --to {Name}: how matrices and kernels are stored. float16 halves the file; arithmetic stays float32.",
        Single, (Single, Single), (Half, Half));
    private readonly Option<string?> _license = command.Optional<string?>(
        "--license", $"With --to {Name}: the weights' licence, which the file then says, e.g. CC-BY-NC-SA-4.0.", "text");
    private readonly GuidanceFlags _guidance = new(command);

    /// <summary>The options that are for this target alone.</summary>
    public IEnumerable<Option> All => [_stored, _license, .. _guidance.All];

    public void Write(ParseResult parsed, LevelsArgument levels, SamplerFlags sampling, string? output, bool json,
        TerminalOutput terminal, CancellationToken cancellation)
    {
        string path = output ?? throw new InvalidInputException($"--to {Name} needs a place: --output file.onnx.");
        if (sampling.Schedule(parsed) is not null)
            throw new InvalidInputException("--schedule says no solver, which a whole sampler has; give --sampler schedule/solver/steps.");
        bool own = sampling.Text(parsed) == OwnSampler, named = sampling.IsSamplerGiven(parsed);
        var chosen = own ? null : sampling.Read(parsed, null);
        if (chosen is null)
            OptionValues.RefuseIdle(parsed, levels.Numbers, "a --sampler that is made or searched");
        string source = levels.Path(parsed) ?? EmbeddedDefault.Model;
        using var model = Model.Open(source, levels.Options(parsed) with
        {
            ComputeType = TorchSharp.torch.ScalarType.Float32,
            Device = DeviceChoice.Cpu,
            Guidance = _guidance.Read(parsed),
            Guide = _guidance.ReadGuide(parsed),
        });
        model.RequireNetwork();
        var sampler = !named ? null
            : own ? model.Sampler ?? throw new InvalidInputException($"{source} has no sampler of its own; name one, e.g. --sampler "
                + $"{SamplerChoice.Usual}.")
            : sampling.Make(parsed, model, chosen!, "euler", 0, terminal, cancellation);
        var options = new OnnxExportOptions { HalfWeights = parsed.GetValue(_stored) == Half, License = parsed.GetValue(_license) ?? "" };
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
        if (options.HalfWeights)
        {
            terminal.Message(InvariantText.Of(
                $"float16 weights change the images by up to {written.RoundingError:G2} of the largest value."));
        }
    }
}
