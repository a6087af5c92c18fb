using FewStep.Platform;
using Microsoft.ML.OnnxRuntime;

namespace FewStep.Onnx;

/// <summary>A model loaded into ONNX Runtime, whose failures are one line each.</summary>
internal sealed class OnnxSession : IDisposable
{
    private static readonly Lock EnvironmentLock = new();
    private readonly string _path;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

    /// <summary>Loads a model.</summary>
    /// <param name="path">The file, looked through before.</param>
    /// <param name="threads">Processor threads, 1 or more.</param>
    /// <exception cref="InvalidInputException">ONNX Runtime is not there, or refuses the model.</exception>
    public OnnxSession(string path, int threads)
    {
        _path = path;
        _session = Guarded("cannot be loaded", () =>
        {
            PrepareEnvironment();
            using var options = new SessionOptions
            {
                IntraOpNumThreads = threads,
                InterOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL, // what fails is thrown, and said once
            };
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"); // waiting threads would take the processor from libtorch's
            return new InferenceSession(path, options);
        });
    }

    /// <summary>Inputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;

    /// <summary>Outputs by name.</summary>
    public IReadOnlyDictionary<string, NodeMetadata> Outputs => _session.OutputMetadata;

    /// <summary>Evaluates the model.</summary>
    /// <param name="names">Names of the inputs.</param>
    /// <param name="inputs">Their values; stay the caller's.</param>
    /// <param name="output">Name of the output.</param>
    /// <param name="read">Reads the output, which is gone afterwards.</param>
    /// <exception cref="InvalidInputException">The model fails.</exception>
    public void Run(IReadOnlyCollection<string> names, IReadOnlyCollection<OrtValue> inputs, string output, Action<OrtValue> read)
    {
        using var results = Guarded("failed", () => _session.Run(_run, names, inputs, [output]));
        read(results[0]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _run.Dispose();
        _session.Dispose();
    }

    private static void PrepareEnvironment()
    {
        lock (EnvironmentLock)
        {
            if (!OrtEnv.IsCreated)
            {
                var options = new EnvironmentCreationOptions { logId = "fewstep", logLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
                OrtEnv.CreateInstanceWithOptions(ref options);
                OrtEnv.Instance().DisableTelemetryEvents();
            }
        }
    }

    private T Guarded<T>(string what, Func<T> work)
    {
        try
        {
            return work();
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidInputException($"{_path} {what}: {Printable.Line(e.Message.ReplaceLineEndings(" ").Trim())}", e);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            throw new InvalidInputException($"ONNX Runtime cannot be loaded on this system ({(e.InnerException ?? e).Message.ReplaceLineEndings(" ")}); install its native library for this platform, or convert the model to another form.", e);
        }
    }
}
