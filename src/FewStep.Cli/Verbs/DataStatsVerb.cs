namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep data stats</c>: mean and covariance of a data set's features, as EDM's fid.py and pytorch-fid store them.</summary>
internal static class DataStatsVerb
{
    private const string Extension = ".npz";

    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("stats", "Measure the statistics of a data set for FID, in the file format of EDM and pytorch-fid.");
        var (data, split) = (command.Data(), DataVerb.Split(command));
        var output = command.Required<string>("--output", "The statistics file to write: mu and sigma, float64.", "file.npz");
        var network = new FeatureFlags(command, "Folder of the classifier, for --features classifier.", besideModel: false);
        var batch = command.Option("--batch", "Images at a time.", 50);
        var (threads, json) = (command.Threads(), command.Json());
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            string to = parsed.GetRequiredValue(output);
            if (!to.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) || parsed.GetValue(batch) < 1)
            {
                throw new InvalidInputException(parsed.GetValue(batch) < 1 ? $"--batch {parsed.GetValue(batch)} must be 1 or more."
                    : $"Statistics are written as {Extension}, but the file is called {to}; end its name in {Extension}.");
            }

            var kind = network.Kind(parsed);
            if (kind == FeatureKind.Inception)
                network.Inception(parsed); // before a large set is checked

            using var images = ImageSets.Open(parsed.GetRequiredValue(data), parsed.GetValue(split), terminal.Progress, cancellation);
            using var extractor = network.Open(kind, parsed, images.Shape, model: null);
            using var measured = FeatureReference.Measure(images, extractor, null, parsed.GetValue(batch), terminal.Progress, cancellation);
            StatisticsFile.Write(to, measured);
            var result = new
            {
                output = to,
                images = images.Count,
                features = extractor.FeatureName,
                dimension = extractor.Dimension,
                images_hash = images.Hash,
                extractor_hash = extractor.Hash,
            };
            terminal.Result(parsed.GetValue(json), result,
                $"Wrote the statistics of {images.Count:N0} images on {extractor.Dimension:N0} features ({extractor.FeatureName}) to "
                    + $"{to}.");
        });
    }
}
