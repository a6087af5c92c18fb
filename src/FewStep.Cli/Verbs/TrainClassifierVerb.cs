using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep train-classifier</c>: trains the small classifier whose features define a Fréchet distance.</summary>
internal static class TrainClassifierVerb
{
    private const string CheckpointName = "training.safetensors";

    public static Command Create(TerminalOutput terminal)
    {
        var usual = new ClassifierTrainingOptions();
        var data = SharedOptions.Data();
        data.Description = "Labelled training images: an EDM-style zip, a folder of PNG or JPEG files, or idx files; where there are "
            + "splits, the training split.";
        var held = Flag.Optional<string?>("--test", "Labelled test images; left out, the test split of --data, or a tenth of it held out "
            + "at random where it has no splits.", "path");
        var overwrite = Flag.Optional<bool>("--overwrite", "Replace a classifier that lies in --out.");
        var output = Flag.Required<string>("--out", "Folder for the classifier.", "folder");
        var channels = Flag.Of("--channels", "Width of each stage; the last is the number of features.", "32,64,96", "list");
        var blocks = Flag.Of("--blocks", "Residual blocks in each stage.", 1);
        var epochs = Flag.Of("--epochs", "Passes over the training images.", usual.Epochs);
        var batch = Flag.Of("--batch", "Images an update.", usual.Batch);
        var rate = Flag.Of("--learning-rate", "Peak learning rate.", usual.LearningRate);
        var decay = Flag.Of("--weight-decay", "Decoupled weight decay.", usual.WeightDecay);
        var shift = Flag.Of("--shift", "Largest random shift of an image in pixels.", usual.Shift);
        var plain = Flag.Optional<bool>("--no-mirror", "Do not mirror half of the images.");
        var name = Flag.Of("--metric-name", "What the Fréchet distance on the features is called.", "FD (classifier features)");
        var features = Flag.Of("--feature-name", "What the features are called behind the names of other metrics.", "classifier features");
        var (dtype, seed, threads, json) = (SharedOptions.Dtype(), SharedOptions.Seed(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("train-classifier", "Train a small classifier; its features define the Fréchet distance of a data set. "
            + "Interrupt with Ctrl-C and repeat the command to resume.")
        {
            data, held, output, overwrite, channels, blocks, epochs, batch, rate, decay, shift, plain, name, features, dtype, seed,
            threads, json,
        };
        command.SetAction((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            string source = parsed.GetRequiredValue(data), folder = parsed.GetRequiredValue(output);
            if (FeatureClassifierFolder.Holds(folder) && !parsed.GetValue(overwrite))
            {
                throw new InvalidInputException(
                    $"{folder} holds a classifier already; choose another folder, or have it replaced with --overwrite.");
            }

            var options = new ClassifierTrainingOptions
            {
                Epochs = parsed.GetValue(epochs),
                Batch = parsed.GetValue(batch),
                LearningRate = parsed.GetValue(rate),
                WeightDecay = parsed.GetValue(decay),
                Shift = parsed.GetValue(shift),
                Mirror = !parsed.GetValue(plain),
                Seed = parsed.GetValue(seed),
                Bfloat16 = parsed.GetValue(dtype) == torch.ScalarType.BFloat16,
            };
            options.Check();
            using var images = ClassifierImages.Open(source, parsed.GetValue(held), terminal.Progress, cancellation);
            var (training, test) = (images.Training, images.Test);
            var configuration = new ClassifierConfiguration(training.Shape, training.Classes, Widths(parsed.GetRequiredValue(channels)),
                parsed.GetValue(blocks), parsed.GetRequiredValue(name)) { FeatureName = parsed.GetRequiredValue(features) };
            configuration.Check("The command line");
            string checkpoint = Path.Combine(folder, CheckpointName);
            using var classifier = ClassifierTrainer.Train(
                configuration, training, test, options, terminal.Progress, DeviceFlag.Resolve(parsed), checkpoint, cancellation);
            FeatureClassifierFolder.Save(classifier, folder);
            File.Delete(checkpoint);
            var record = classifier.Configuration.Training!;
            var result = new
            {
                classifier = folder,
                test_accuracy = record.TestAccuracy,
                test_images = test.Count,
                test = images.TestName,
                updates = record.Updates,
                metric = classifier.Name,
                features = classifier.Dimension,
                hash = classifier.Hash
            };
            terminal.Result(parsed.GetValue(json), result, console => console.Profile.Out.Writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Test accuracy {record.TestAccuracy:P1} on {test.Count:N0} {images.TestName} after {record.Updates:N0} updates. The "
                    + $"classifier is in {folder}.")));
            return Task.FromResult(0);
        });
        return command;
    }

    private static int[] Widths(string text) =>
    [
        .. text.Split(',', StringSplitOptions.TrimEntries)
            .Select(part => int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int width)
            ? width
            : throw new InvalidInputException($"--channels '{text}' must be whole numbers separated by commas, e.g. 32,64,96.")),
    ];
}
