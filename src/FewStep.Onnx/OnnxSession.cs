using Microsoft.ML.OnnxRuntime;

namespace FewStep.Onnx;

/// <summary>A model loaded into ONNX Runtime, whose failures are one line each.</summary>
internal sealed class OnnxSession : IDisposable
{
    private static readonly Lock EnvironmentLock = new();
    private readonly string _path;
    private readonly InferenceSession _session;
    private readonly RunOptions _run = new();

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
            // waiting threads would take the processor from libtorch's
            options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
            return new InferenceSession(path, options);
        });
    }

    public IReadOnlyDictionary<string, NodeMetadata> Inputs => _session.InputMetadata;
    public IReadOnlyDictionary<string, NodeMetadata> Outputs => _session.OutputMetadata;

    public void Run(IReadOnlyCollection<string> names, IReadOnlyCollection<OrtValue> inputs, string output, Action<OrtValue> read)
    {
        // A graph may compute for ever; it is left at its next operation.
        using var stop = StopRequest.Token.Register(() => _run.Terminate = true);
        using var results = Guarded("failed", () => _session.Run(_run, names, inputs, [output]));
        read(results[0]);
    }

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
        catch (OnnxRuntimeException e) when (StopRequest.Token.IsCancellationRequested)
        {
            throw new OperationCanceledException(e.Message, e, StopRequest.Token);
        }
        catch (OnnxRuntimeException e)
        {
            throw new InvalidInputException($"{_path} {what}: {Printable.Line(e.Message.ReplaceLineEndings(" ").Trim())}", e);
        }
        catch (Exception e) when (e is DllNotFoundException or TypeInitializationException or EntryPointNotFoundException)
        {
            throw new InvalidInputException(
                $"ONNX Runtime cannot be loaded on this system ({(e.InnerException ?? e).Message.ReplaceLineEndings(" ")}); install its "
                    + "native library for this platform, or convert the model to another form.", e);
        }
    }
}
