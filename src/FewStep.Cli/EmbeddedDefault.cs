namespace FewStep.Cli;

/// <summary>The Fashion-MNIST model, data and feature classifier that ship with the program.</summary>
internal static class EmbeddedDefault
{
    private const string Name = "fashion-mnist";

    public static string Model => At("models", Name);

    /// <summary>Folder with the idx files of 10,000 training and 10,000 test images.</summary>
    public static string Data => At("data", Name);

    /// <summary>Folder of the classifier whose features define the Fréchet distance.</summary>
    public static string Classifier => At("models", $"{Name}-classifier");

    /// <summary>What help calls a path that comes with the program; null for any other.</summary>
    public static string? Describe(string path) =>
        path == Model ? "the embedded model" : path == Data ? "the embedded images" : path == Classifier ? "the embedded classifier" : null;

    private static string At(params ReadOnlySpan<string> path) => Path.Combine([AppContext.BaseDirectory, .. path]);
}
