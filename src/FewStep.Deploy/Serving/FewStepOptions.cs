namespace FewStep.Deploy.Serving;

/// <summary>A sampler and its queue in an application; see <see cref="FewStepServices.AddFewStep"/>.</summary>
public sealed class FewStepOptions
{
    /// <summary>The sampler graph, an ONNX file. Required.</summary>
    public string SamplerPath { get; set; } = "";

    /// <summary>What evaluates it; default the processor.</summary>
    public ExecutionProvider Provider { get; set; }

    /// <summary>Number of the GPU; default 0.</summary>
    public int Device { get; set; }

    /// <summary>Threads of one evaluation on the processor; 0 (default) for one a core.</summary>
    public int Threads { get; set; }

    /// <summary>Most images of one evaluation, 1 to 4096; default 16.</summary>
    public int MaximumBatch { get; set; } = 16;

    /// <summary>Most images that wait; requests beyond are refused. At least <see cref="MaximumBatch"/>; default 256.</summary>
    public int MaximumQueued { get; set; } = 256;

    /// <summary>How long an image waits for others before an evaluation of fewer than <see cref="MaximumBatch"/> begins, up to a minute;
    /// default 2 ms. Images that come during an evaluation wait for its end anyway.</summary>
    public TimeSpan BatchWait { get; set; } = TimeSpan.FromMilliseconds(2);
}
