namespace FewStep.Studio;

/// <summary>What a studio works with, and where.</summary>
internal sealed record StudioOptions
{
    /// <summary>Path of the model that it begins with.</summary>
    public required string Model { get; init; }

    /// <summary>Path of the images that jobs take where none are named.</summary>
    public required string Data { get; init; }

    /// <summary>Whether somebody chose those; where nobody did, a model of text or latents takes fine samples of its own.</summary>
    public bool IsDataChosen { get; init; }

    /// <summary>Folder that jobs write into, each into a folder of its own, and that samplers are saved in.</summary>
    public required string Out { get; init; }

    /// <summary>Folder whose runs are listed.</summary>
    public required string Runs { get; init; }

    /// <summary>Port on 127.0.0.1; 0 (default) for a free one.</summary>
    public int Port { get; init; }

    /// <summary>How the first model is opened; others are opened to compute where and as it does.</summary>
    public ModelOptions Opening { get; init; } = new();
}
