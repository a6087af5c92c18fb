using FewStep.Matching;
using FewStep.Reporting;
using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep match</c>: moves samplers until their images are distributed as real ones.</summary>
internal static class MatchVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("match", "Move samplers' sigmas, told noise levels and weights until their images have the mean and "
            + "covariance of real ones: after a fit or a tuning, without gradients, for any denoiser. Interrupt with Ctrl-C and repeat the "
            + "command to resume.");
        var defaults = new MatchOptions();
        var (model, data) = (command.Model(" or an ONNX file"), command.Data());
        var samplers = command.Samplers();
        var anyModel = command.AnyModel();
        var output = command.Option("--out", "Folder for a sampler file each and match.html.", Path.Combine("runs", "match"), "folder");
        var classifier = command.Optional<string?>("--classifier", "Folder of the classifier by whose features images are compared "
            + "(train-classifier makes one). Judge the samplers by another network.", "folder");
        var inception = command.Optional<string?>("--inception", "In place of --classifier, Inception-v3's weights.", "file");
        var iterations = command.Option("--iterations", "Most iterations for a sampler.", defaults.Iterations);
        var count = command.Option("--match-images", "Most real images.", defaults.Images);
        var latents = command.Option("--latents", "Latents whose images are matched.", defaults.Latents);
        var heldOut = command.Option("--held-out", "Further latents that judge each iteration.", defaults.HeldOutLatents);
        var detail = command.Option("--detail", "Weight of the images' finest detail beside the network's features. 0 lets grain stand in "
            + "for detail; more makes cleaner images, at some Fréchet distance.", defaults.Detail);
        var batch = command.Option("--batch", "Latents in one evaluation.", defaults.BatchSize);
        var label = command.Optional<string?>("--label", "Class that the samplers are matched for, by index or name; -1 for none. Left "
            + "out, all classes (or prompts) in turn.", "class");
        var (dtype, seed, threads, json) = (command.Dtype(), command.Seed(), command.Threads(), command.Json());
        var about = new ModelFlags(command);
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var options = new MatchOptions
            {
                Classifier = parsed.GetValue(classifier),
                Inception = parsed.GetValue(inception),
                Iterations = parsed.GetValue(iterations),
                Images = parsed.GetValue(count),
                Latents = parsed.GetValue(latents),
                HeldOutLatents = parsed.GetValue(heldOut),
                Detail = parsed.GetValue(detail),
                BatchSize = parsed.GetValue(batch),
            }.Checked();
            var choices = parsed.ReadSamplers(samplers, anyModel);
            about.RefuseIdleRange(parsed, choices.Select(c => c.Schedule));
            using var source = Model.Open(
                parsed.GetRequiredValue(model), about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));
            if (parsed.GetValue(label) is string one)
                options = options with { Label = ClassLabel.Parse(one, source.Denoiser.Classes, source.LabelNames) };
            using var images = ModelImages.Open(parsed, data, source, parsed.GetValue(seed), terminal, cancellation);
            var starts = choices.Count == 0 ? [Own(source)] : choices.Select(source.Make).ToList();
            string folder = parsed.GetRequiredValue(output);
            var matches = MatchFolder.Write(
                folder, source, starts, options, images, parsed.GetValue(seed), terminal.Progress, cancellation);
            List<FoundMatch> found = [.. matches.Select(FoundMatch.Of)];
            terminal.Result(parsed.GetValue(json), new { samplers = found }, console =>
            {
                console.Write(ReportTables.Draw(MatchPage.Table(matches)));
                console.WriteLine($"The page is {Path.Combine(folder, MatchPage.FileName)}. Sample with one: --sampler {found[0].File}");
            });
        });
    }

    private static Sampler Own(Model model) => model.Sampler is { } own
        ? model.Checked(own, $"{own}")
        : throw new InvalidInputException(
            $"{model.Name} has no sampler of its own: name one or more to match (--sampler FILE, or e.g. karras/ipndm:3/4).");
}
