namespace FewStep.Tests.Platform;

/// <summary>Runs a test's part on a thread of its own, for libtorch's number of threads is a thread's.</summary>
internal static class OnThread
{
    public static T WithTensorThreads<T>(int threads, Func<T> body)
    {
        int before = TorchLibrary.ThreadsInUse();
        T result = default!;
        System.Runtime.ExceptionServices.ExceptionDispatchInfo? failure = null;
        var thread = new Thread(() =>
        {
            try
            {
                TorchLibrary.UseThreads(threads);
                result = body();
            }
#pragma warning disable CA1031 // thrown again on the test's thread
            catch (Exception e)
#pragma warning restore CA1031
            {
                failure = System.Runtime.ExceptionServices.ExceptionDispatchInfo.Capture(e);
            }
        });
        thread.Start();
        thread.Join();
        TorchLibrary.UseThreads(before);
        failure?.Throw();
        return result;
    }
}
