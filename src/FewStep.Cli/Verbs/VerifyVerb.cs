using FewStep.Onnx;
using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep verify</c>: compares a model's outputs with those of another implementation.</summary>
internal static class VerifyVerb
{
    private const double DefaultTolerance = 2e-5;
    private const string Definition = "largest |ours - theirs| / largest |theirs| of an image, for the worst image";

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("verify", "Compare a model's outputs (float32) with those that another implementation stored. Exit code "
            + "1 where they differ by more than --tolerance.");
        var model = command.Model(", or an ONNX file, of a denoiser or a whole sampler");
        var flags = new ModelFlags(command, guides: false);
        var reference = command.Required<string>(
            "--reference", "npz file: x [B,C,H,W], optionally labels (indices [B] or one-hot [B,K]), and "
                + "sigma [B] with denoised, or timesteps [B] with output, what the raw network makes of x. For a sampler in an ONNX file: "
                + "samples [B,C,H,W], and seeds [B] or latents [B,C,H,W], and optionally labels, as sample --output writes them.", "file");
        var tolerance = command.Option("--tolerance", $"Largest relative error that passes: {Definition}.", DefaultTolerance);
        var (threads, json) = (command.Threads(), command.Json());
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            double limit = parsed.GetValue(tolerance);
            if (!(limit >= 0) || !double.IsFinite(limit))
                throw new InvalidInputException("--tolerance must be a finite number, 0 or more.");
            var exact = flags.Read(parsed, torch.ScalarType.Float32, parsed.GetValue(threads));
            string path = parsed.GetRequiredValue(model), stored = parsed.GetRequiredValue(reference);
            var (results, known) = Compare(path, exact, stored, [.. flags.All.Where(parsed.IsGiven).Select(o => o.Name)], cancellation);
            double largest = results.Max(r => r.LargestRelativeError);
            bool passed = largest <= limit;

            // JSON has no infinity.
            double? Finite(double error) => double.IsFinite(error) ? error : null;
            var compared = results.Select(r => new
            { array = r.Compared, images = r.Images, largest_relative_error = Finite(r.LargestRelativeError), worst_image = r.WorstImage });
            string[] remarks = [.. known, .. results.Select(r => r.Remark).OfType<string>()];
            var result = new
            {
                passed,
                largest_relative_error = Finite(largest),
                tolerance = limit,
                definition = Definition,
                compared,
                remarks,
            };
            var lines = results.Select(r => string.Create(CultureInfo.InvariantCulture, $"{r.Compared}: relative error "
                + $"{r.LargestRelativeError:G3} over {r.Images} images, worst is image {r.WorstImage} ({Definition})."));
            terminal.Result(parsed.GetValue(json), result, [.. remarks, .. lines],
                $"{(passed ? "The model agrees" : "The model DIFFERS")} (tolerance {limit:G3}).");
            return passed ? ExitCode.Success : ExitCode.Different;
        });
    }

    private static (IReadOnlyList<VerificationResult> Results, IReadOnlyList<string> Remarks) Compare(
        string path, ModelOptions options, string stored, IReadOnlyList<string> given, CancellationToken cancellation)
    {
        using var sampler = OnnxSampler.TryOpen(path, options.Threads);
        if (sampler is not null)
        {
            OpenedModel.RefuseNetworkOptions(path, options, "an ONNX file");
            return given.Count == 0 ? ([SamplerVerification.Run(sampler, stored, cancellation)], [])
                : throw new InvalidInputException($"{given[0]} does nothing without a denoiser; {path} holds a whole sampler.");
        }

        using var source = Model.Open(
            path, options with { Checkpoint = ModelVerification.WithSide(options.Checkpoint, path, stored) });
        return (ModelVerification.Run(source.Denoiser, stored, cancellation), source.Remarks);
    }
}
